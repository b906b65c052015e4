/** Java's charsets by name, and what iconv-lite calls the same. */

/** One charset: Java's canonical name, its other names (in small letters), iconv-lite's name. */
interface CharsetNames {
  readonly name: string;
  readonly codec: string;
}

/** `Java's name = codec: other names`. What Java's standard and extended charsets have in common with iconv-lite. */
const table = `
UTF-8 = utf8: utf8 unicode-1-1-utf-8
US-ASCII = ascii: ascii ascii7 646 iso646-us ansi_x3.4-1968 ansi_x3.4-1986 cp367 ibm367 us iso-ir-6 csascii
ISO-8859-1 = iso88591: iso8859_1 iso8859-1 8859_1 latin1 l1 iso-ir-100 iso_8859-1 cp819 ibm819 819 csisolatin1
ISO-8859-2 = iso88592: iso8859_2 iso8859-2 8859_2 latin2 l2 iso_8859-2 cp912 csisolatin2
ISO-8859-3 = iso88593: iso8859_3 iso8859-3 8859_3 latin3 l3 iso_8859-3
ISO-8859-4 = iso88594: iso8859_4 iso8859-4 8859_4 latin4 l4 iso_8859-4
ISO-8859-5 = iso88595: iso8859_5 iso8859-5 8859_5 cyrillic iso_8859-5
ISO-8859-6 = iso88596: iso8859_6 iso8859-6 8859_6 arabic iso_8859-6
ISO-8859-7 = iso88597: iso8859_7 iso8859-7 8859_7 greek greek8 iso_8859-7
ISO-8859-8 = iso88598: iso8859_8 iso8859-8 8859_8 hebrew iso_8859-8
ISO-8859-9 = iso88599: iso8859_9 iso8859-9 8859_9 latin5 l5 iso_8859-9
ISO-8859-13 = iso885913: iso8859_13 iso8859-13 8859_13 iso_8859-13
ISO-8859-15 = iso885915: iso8859_15 iso8859-15 8859_15 latin9 latin-9 l9 iso_8859-15
windows-1250 = cp1250: cp1250
windows-1251 = cp1251: cp1251 ansi-1251
windows-1252 = cp1252: cp1252
windows-1253 = cp1253: cp1253
windows-1254 = cp1254: cp1254
windows-1255 = cp1255: cp1255
windows-1256 = cp1256: cp1256
windows-1257 = cp1257: cp1257
windows-1258 = cp1258: cp1258
KOI8-R = koi8r: koi8_r koi8 cskoi8r
KOI8-U = koi8u: koi8_u
IBM437 = cp437: cp437 ibm-437 437
IBM850 = cp850: cp850 ibm-850 850
IBM852 = cp852: cp852 ibm-852 852
IBM855 = cp855: cp855 ibm-855 855
IBM857 = cp857: cp857 ibm-857 857
IBM00858 = cp858: cp858 858
IBM862 = cp862: cp862 ibm-862 862
IBM866 = cp866: cp866 ibm-866 866
TIS-620 = tis620: tis620 tis620.2533
GBK = gbk: cp936 windows-936
GB2312 = gb2312: euc_cn euccn euc-cn gb2312-80 gb2312-1980 x-euc-cn
GB18030 = gb18030: gb18030-2022
Big5 = big5: csbig5
Shift_JIS = shiftjis: sjis shift-jis ms_kanji x-sjis csshiftjis
windows-31j = cp932: ms932 windows-932 cswindows31j
EUC-JP = eucjp: euc_jp eucjis eucjp x-eucjp x-euc-jp
EUC-KR = euckr: euc_kr euckr ks_c_5601-1987 ksc5601 ksc5601-1987 ksc_5601 5601
x-windows-949 = cp949: ms949 windows949 windows-949
UTF-16 = utf-16: utf_16 utf16 unicode unicodebig
UTF-16BE = utf-16be: utf_16be iso-10646-ucs-2 x-utf-16be unicodebigunmarked
UTF-16LE = utf-16le: utf_16le x-utf-16le unicodelittleunmarked
`;

const byName = new Map<string, CharsetNames>();
for (const line of table.trim().split('\n')) {
  const [, name = '', codec = '', others = ''] = /^(\S+) = (\S+?): (.*)$/.exec(line) ?? [];
  for (const one of [name.toLowerCase(), ...others.split(' ')]) byName.set(one, { name, codec });
}

/** Finds a charset by any name that Java has for it, in any case of letters. */
export function charsetNames(name: string): CharsetNames | undefined {
  return byName.get(name.toLowerCase());
}
