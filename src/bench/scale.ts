/** From values to places on an axis, and where its marks are. */

/** How an axis runs. */
export interface ScaleShape {
  readonly isLogarithmic: boolean;
  /** Its marks, in place of round ones. */
  readonly ticks?: readonly number[];
}

/** An axis of a picture. */
export interface Scale {
  readonly ticks: readonly number[];
  /** 0 at the axis' begin, 1 at its end; a value outside of it is put at its nearest end. */
  at(value: number): number;
}

/** Linear: from 0 (or the least value below it) to a round one. Logarithmic: of the positive values only. */
export function scaleOf(values: readonly number[], { isLogarithmic, ticks }: ScaleShape): Scale {
  const finite = values.filter(Number.isFinite);
  return isLogarithmic ? logarithmic(finite, ticks) : linear(finite, ticks);
}

function linear(values: readonly number[], given: readonly number[] | undefined): Scale {
  const low = Math.min(0, ...values);
  const high = Math.max(low, ...values, ...(given ?? []));
  const step = roundStep((high === low ? 1 : high - low) / 5);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  return { ticks: given ?? ticks, at: (value) => within((value / step - first) / (last - first)) };
}

function logarithmic(values: readonly number[], given: readonly number[] | undefined): Scale {
  const positive = [...values, ...(given ?? [])].filter((value) => value > 0);
  const low = positive.length === 0 ? 1 : Math.min(...positive);
  const high = positive.length === 0 ? 10 : Math.max(...positive);
  // Given marks say where it begins; else the smallest bar is to be seen, not to have no length.
  const first = given === undefined ? Math.floor(Math.log10(low) - 0.05) : Math.log10(low);
  const last = given === undefined ? Math.max(first + 1, Math.ceil(Math.log10(high))) : Math.log10(high);
  const width = last > first ? last - first : 1;
  const decades = Array.from({ length: Math.floor(width) + 1 }, (_, index) => 10 ** (Math.ceil(first) + index));
  const between = width > 2 ? [1] : [1, 2, 5];
  const ticks = decades.flatMap((decade) => between.map((factor) => factor * decade));
  return {
    ticks: given ?? ticks.filter((tick) => Math.log10(tick) <= last + 1e-9),
    at: (value) => (value > 0 ? within((Math.log10(value) - first) / width) : 0),
  };
}

/** 1, 2 or 5 times a power of ten, `least` or more. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}
