/** How far long work has come: one line on a terminal, nothing where nobody looks. */
import { sizeText } from './verb.ts';

const everyMs = 200;

/** Of bytes read, where `rateText` does not count something else. Call `end` before anything else is printed. */
export function progressLine(
  name: string,
  rateText: (perSecond: number) => string = sizeText,
): { at(done: number, total: number): void; end(): void } {
  if (!process.stderr.isTTY) return { at: () => undefined, end: () => undefined };
  const startMs = performance.now();
  let shownMs = 0;
  return {
    at(done, total) {
      const nowMs = performance.now();
      if (nowMs - shownMs < everyMs) return;
      shownMs = nowMs;
      const seconds = (nowMs - startMs) / 1000;
      const rate = done / Math.max(seconds, 0.001);
      const left = rate > 0 ? Math.round((total - done) / rate) : 0;
      const share = total > 0 ? Math.floor((100 * done) / total) : 100;
      process.stderr.write(`\r\u001b[K${name}: ${share} %, ${rateText(rate)}/s, ${left} s left`);
    },
    end() {
      if (shownMs > 0) process.stderr.write('\r\u001b[K');
    },
  };
}
