/** Numbers with the unit that leaves few digits. */

const PREFIXES = ["", "k", "M", "G", "T"] as const;

/** A quantity with a decimal prefix: `"1.2 GFLOP"`. */
export function withPrefix(value: number, unit: string): string {
  let step = 0;
  while (value >= 1000 && step < PREFIXES.length - 1) {
    value /= 1000;
    step++;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${PREFIXES[step]}${unit}`;
}

/** Bytes with the unit that leaves one to three digits before the point: `"0.25 MB"` is `"246.82 kB"`. */
export function humanBytes(bytes: number): string {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(2)} ${PREFIXES[power]}B`;
}

/** A time with three digits: `"12.3 µs"`, `"1.90 ms"`, `"4.07 s"`. */
export function humanTime(ms: number): string {
  const [value, unit] = ms >= 1000
    ? [ms / 1000, "s"]
    : ms >= 1
    ? [ms, "ms"]
    : ms >= 0.001
    ? [ms * 1000, "µs"]
    : [ms * 1e6, "ns"];
  return `${threeDigits(value)} ${unit}`;
}

/** A number with three digits, as far as its fraction goes: `"0.123"`, `"1.23"`, `"12.3"`, `"123"`. */
export function threeDigits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** A whole number in groups of three: `"61,706"`. */
export function grouped(n: number): string {
  return n.toLocaleString("en-US");
}
