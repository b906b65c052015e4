/**
 * Hadoop's *-site.xml files: a small part of XML, read strictly. What is outside that part is refused by its place in
 * the file, never skipped: a setting that was overlooked would send files somewhere else.
 */

/** One `<property>`. */
export interface HadoopProperty {
  readonly name: string;
  readonly value: string;
  /** No later file may change it. */
  readonly isFinal: boolean;
}

/** What cannot be read. The message says the line and the column, from 1. */
export class HadoopXmlError extends Error {
  override readonly name = 'HadoopXmlError';
}

/** An element; attributes and text with their entities resolved. */
interface Element {
  readonly name: string;
  readonly at: number;
  readonly attributes: ReadonlyMap<string, string>;
  text: string;
  readonly children: Element[];
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const nameAt = /[A-Za-z_][\w.:-]*/y;
const spaceAt = /[ \t\r\n]*/y;
const attributeAt = /[ \t\r\n]+([A-Za-z_][\w.:-]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
/** Deeper than configuration, property and value nothing is of use. */
const depthMax = 16;

/** @throws {HadoopXmlError} */
export function readHadoopXml(text: string): HadoopProperty[] {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const root = new Reader(source).read();
  if (root.name !== 'configuration') throw placed(source, root.at, `<${root.name}> where <configuration> is due`);
  return root.children.flatMap((child) => {
    if (child.name === 'property') return propertyIn(source, child);
    if (/(?:^|:)include$/.test(child.name)) {
      throw placed(source, child.at, `<${child.name}>: XInclude is not followed: put what it names into this file`);
    }
    throw placed(source, child.at, `<${child.name}> where <property> is due`);
  });
}

/** Both of Hadoop's ways to write one. One without a value is no setting, as in Hadoop. */
function propertyIn(source: string, element: Element): HadoopProperty[] {
  const found = new Map(element.attributes);
  for (const child of element.children) {
    const [inner] = child.children;
    if (inner !== undefined) throw placed(source, inner.at, `<${inner.name}> within <${child.name}>`);
    found.set(child.name, child.text);
  }
  const name = found.get('name')?.trim();
  const value = found.get('value');
  if (name === undefined || name === '') throw placed(source, element.at, '<property> without a <name>');
  return value === undefined ? [] : [{ name, value: value.trim(), isFinal: found.get('final')?.trim() === 'true' }];
}

class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): Element {
    this.#skipAround();
    if (this.#source[this.#at] !== '<') throw this.#problem('no element');
    const root = this.#element(1);
    this.#skipAround();
    if (this.#at < this.#source.length) throw this.#problem('something behind the end');
    return root;
  }

  /** Blanks, comments and processing instructions. */
  #skipAround(): void {
    for (;;) {
      this.#match(spaceAt);
      if (!this.#skipMarkup()) return;
    }
  }

  #skipMarkup(): boolean {
    if (this.#source.startsWith('<!--', this.#at)) this.#through('<!--', '-->', 'a comment');
    else if (this.#source.startsWith('<?', this.#at)) this.#instruction();
    else return false;
    return true;
  }

  #instruction(): void {
    const at = this.#at;
    const text = this.#through('<?', '?>', 'a processing instruction');
    const encoding = /^<\?xml\s.*?encoding\s*=\s*["']([^"']*)["']/s.exec(text)?.[1];
    if (encoding === undefined || /^(?:utf-?8|us-ascii|ascii|iso-8859-1)$/i.test(encoding)) return;
    throw placed(this.#source, at, `encoding ${encoding}: only UTF-8 is read`);
  }

  #element(depth: number): Element {
    const at = this.#at;
    this.#at += 1;
    if (this.#source.startsWith('!', this.#at)) throw placed(this.#source, at, 'a DOCTYPE is not read: remove it');
    const name = this.#match(nameAt)?.[0];
    if (name === undefined) throw this.#problem("'<' without a name");
    if (depth > depthMax) throw placed(this.#source, at, `<${name}>: more than ${depthMax} elements within each other`);
    const element: Element = { name, at, attributes: this.#attributes(), text: '', children: [] };
    this.#match(spaceAt);
    if (this.#takes('/>')) return element;
    if (!this.#takes('>')) throw this.#problem(`'>' is due, to end <${name}>`);
    this.#content(element, depth);
    return element;
  }

  #attributes(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (;;) {
      const at = this.#at;
      const match = this.#match(attributeAt);
      if (match === undefined) return found;
      const [, name = '', double, single] = match;
      if (found.has(name)) throw placed(this.#source, at, `${name} twice`);
      found.set(name, this.#resolved(double ?? single ?? '', at));
    }
  }

  #content(element: Element, depth: number): void {
    for (;;) {
      const at = this.#at;
      const next = this.#source.indexOf('<', at);
      if (next < 0) throw placed(this.#source, element.at, `<${element.name}> is never ended`);
      this.#at = next;
      element.text += this.#resolved(this.#source.slice(at, next), at);
      if (this.#source.startsWith('<![CDATA[', next)) {
        element.text += this.#through('<![CDATA[', ']]>', 'CDATA').slice('<![CDATA['.length, -']]>'.length);
      } else if (this.#takes('</')) {
        const name = this.#match(nameAt)?.[0];
        this.#match(spaceAt);
        if (name !== element.name || !this.#takes('>')) {
          throw placed(this.#source, next, `</${element.name}> is due`);
        }
        return;
      } else if (!this.#skipMarkup()) element.children.push(this.#element(depth + 1));
    }
  }

  #resolved(text: string, at: number): string {
    return text.replaceAll(/&([^;&\s]{0,12};)?/g, (whole, named: string | undefined, offset: number) => {
      const resolved = named === undefined ? undefined : entityText(named.slice(0, -1));
      if (resolved !== undefined) return resolved;
      throw placed(this.#source, at + offset, `'${whole}' is no entity: write &amp; for an &`);
    });
  }

  #through(start: string, end: string, what: string): string {
    const at = this.#at;
    const found = this.#source.indexOf(end, at + start.length);
    if (found < 0) throw placed(this.#source, at, `${what} is never ended`);
    this.#at = found + end.length;
    return this.#source.slice(at, this.#at);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #problem(what: string): HadoopXmlError {
    return placed(this.#source, this.#at, what);
  }
}

function entityText(name: string): string | undefined {
  if (Object.hasOwn(entities, name)) return entities[name];
  const [, hex, decimal] = /^#(?:x([\dA-Fa-f]+)|(\d+))$/.exec(name) ?? [];
  const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  const isCharacter = code > 0 && code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

function placed(source: string, at: number, what: string): HadoopXmlError {
  const before = source.slice(0, at);
  const line = before.split('\n').length;
  return new HadoopXmlError(`line ${line}, column ${at - before.lastIndexOf('\n')}: ${what}`);
}
