/** Hadoop's *-site.xml: what is read, and by which place what is not is refused. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { HadoopXmlError, readHadoopXml } from '../../../../../src/adapters/sinks/hdfs/web/hadoop-xml.ts';

function read(body: string): (readonly [string, string, boolean])[] {
  const properties = readHadoopXml(`<configuration>${body}</configuration>`);
  return properties.map(({ name, value, isFinal }) => [name, value, isFinal]);
}

test('a file as administrators write them', () => {
  const text = `\uFEFF<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="configuration.xsl"?>
<!-- Licensed -- to nobody <property> -->
<configuration xmlns:xi="http://www.w3.org/2001/XInclude">
  <!-- by hand -->
  <property>
    <name> fs.defaultFS </name>
    <value>
      hdfs://cluster
    </value>
    <description>Where &lt;it&gt; is, <!-- or was --> &amp; more</description>
    <source>core-default.xml</source>
    <final>true</final>
  </property>
  <property name="dfs.replication" value='2' final="false"/>
  <property><name>a</name><value><![CDATA[<&amp;]]>&quot;&apos;&#65;&#x20AC;</value></property>
  <property><name>unset</name></property>
  <property><name>empty</name><value/></property>
</configuration>
<!-- end -->
`;
  assert.deepEqual(readHadoopXml(text), [
    { name: 'fs.defaultFS', value: 'hdfs://cluster', isFinal: true },
    { name: 'dfs.replication', value: '2', isFinal: false },
    { name: 'a', value: '<&amp;"\'A€', isFinal: false },
    { name: 'empty', value: '', isFinal: false },
  ]);
  assert.deepEqual(readHadoopXml('<configuration/>'), []);
});

test('what is no such file is refused by its place', () => {
  const cases: [string, RegExp][] = [
    ['', /^line 1, column 1: no element/],
    ['nonsense', /^line 1, column 1: no element/],
    ['<html></html>', /column 1: <html> where <configuration>/],
    [
      '<configuration>\n  <xi:include href="a.xml"/>\n</configuration>',
      /^line 2, column 3: <xi:include>: XInclude is not/,
    ],
    ['<configuration><include href="a.xml"/></configuration>', /XInclude is not followed/],
    ['<!DOCTYPE configuration [<!ENTITY a "b">]>\n<configuration/>', /^line 1, column 1: a DOCTYPE is not read/],
    ['<?xml version="1.0" encoding="UTF-16"?><configuration/>', /encoding UTF-16/],
    ['<configuration>\n<property></property></configuration>', /^line 2, column 1: <property> without a <name>/],
    ['<configuration><setting/></configuration>', /<setting> where <property> is due/],
    ['<configuration><property>', /column 16: <property> is never ended/],
    ['<configuration><property></configuration>', /<\/property> is due/],
    ['<configuration></configuration><x/>', /something behind the end/],
    ['<configuration><!-- ', /a comment is never ended/],
    ['<configuration><!--></configuration>', /a comment is never ended/],
    ['<configuration><![CDATA[ ', /CDATA is never ended/],
    ['<configuration a=1/>', /'>' is due/],
    ['<configuration a="1" a="2"/>', /a twice/],
    ['<configuration a="1"b="2"/>', /'>' is due/],
    ['< configuration/>', /'<' without a name/],
    [`${'<a>'.repeat(100)}`, /more than 16 elements within each other/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => readHadoopXml(text), { name: 'HadoopXmlError', message }, text);
  }
  const values: [string, RegExp][] = [
    ['a & b', /column 49: '&' is no entity: write &amp; for an &/],
    ['&copy;', /'&copy;' is no entity/],
    ['&#0;', /no entity/],
    ['&#xD800;', /no entity/],
    ['&#x110000;', /no entity/],
    ['&toString;', /no entity/],
    ['<b>bold</b>', /<b> within <value>/],
  ];
  for (const [value, message] of values) {
    assert.throws(() => read(`<property><name>a</name><value>${value}</value></property>`), { message }, value);
  }
});

test('any text is read or refused, soon', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '/',
    '!',
    '--',
    '<!--',
    '-->',
    '<?',
    '?>',
    '&',
    ';',
    '&amp;',
    '"',
    "'",
    '=',
    ' ',
  );
  const word = fc.constantFrom(
    'configuration',
    'property',
    'name',
    'value',
    '<property>',
    '</property>',
    '<![CDATA[',
    ']]>',
  );
  const texts = fc.array(fc.oneof(piece, word, fc.string()), { maxLength: 60 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, fc.boolean(), (text, isWrapped) => {
      try {
        readHadoopXml(isWrapped ? `<configuration>${text}</configuration>` : text);
      } catch (error) {
        assert.ok(error instanceof HadoopXmlError, String(error));
        assert.match(error.message, /^line \d+, column \d+: /);
      }
    }),
    { numRuns: 3000 },
  );
  const startMs = performance.now();
  for (const text of ['<', '&', ' ', '<!--', '<a ', "<a b='"]) {
    try {
      readHadoopXml(`<configuration>${text.repeat(200_000)}`);
    } catch (error) {
      assert.ok(error instanceof HadoopXmlError, String(error));
    }
  }
  assert.ok(performance.now() - startMs < 3000, `${performance.now() - startMs} ms`);
});
