/** What regex_extractor makes of a group: its text, or the time it names. */
import type { KeyProblem } from '../../agent/contracts/components.ts';
import { compileJodaPattern } from './joda-pattern.ts';

/** One group's way into a header. */
export interface GroupSerializer {
  readonly header: string;
  /** Undefined where the group is not what it should be. */
  readonly serialize: (group: string) => string | undefined;
}

const flumePackage = 'org.apache.flume.interceptor.';
const passThroughTypes = ['default', `${flumePackage}RegexExtractorInterceptorPassThroughSerializer`];
const millisType = `${flumePackage}RegexExtractorInterceptorMillisSerializer`;

/** Reads `NAME.name`, `NAME.type` and `NAME.pattern` of each of `listed`. Total. */
export function readSerializers(
  listed: readonly string[],
  settings: ReadonlyMap<string, string>,
): { readonly serializers: readonly GroupSerializer[]; readonly problems: readonly KeyProblem[] } {
  const problems: KeyProblem[] = [];
  const serializers = listed.map((name): GroupSerializer => {
    const header = settings.get(`${name}.name`) ?? '';
    if (header === '') problems.push({ key: `serializers.${name}.name`, message: 'is missing: the header to set' });
    const made = serializeOf(name, settings);
    if (typeof made === 'function') return { header, serialize: made };
    problems.push(made);
    return { header, serialize: (group) => group };
  });
  return { serializers, problems };
}

function serializeOf(name: string, settings: ReadonlyMap<string, string>): GroupSerializer['serialize'] | KeyProblem {
  const type = settings.get(`${name}.type`) || 'default';
  const isType = (known: string): boolean => known.toLowerCase() === type.toLowerCase();
  if (passThroughTypes.some(isType)) return (group) => group;
  if (!isType(millisType)) {
    const allowed = [...passThroughTypes, millisType].join(', ');
    return { key: `serializers.${name}.type`, message: `'${type}' is not allowed: one of ${allowed}` };
  }
  const key = `serializers.${name}.pattern`;
  const pattern = settings.get(`${name}.pattern`) ?? '';
  if (pattern === '') return { key, message: 'is missing: the pattern of the date, as yyyy-MM-dd HH:mm' };
  const compiled = compileJodaPattern(pattern);
  if ('problem' in compiled) return { key, message: compiled.problem };
  return (group) => compiled.parse(group)?.toString();
}
