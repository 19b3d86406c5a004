/** Attributes of ops as keys of maps. */

/** Attributes as a text that tells any two apart, where JSON takes NaN for Infinity and -0 for 0. */
export function textOf(value: unknown): string {
  if (typeof value === "number") {
    return Object.is(value, -0) ? "-0" : `${value}`;
  }
  if (typeof value !== "object" || value === null) {
    return typeof value === "string" ? JSON.stringify(value) : `${value}`;
  }
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  let text = "{";
  for (const [name, field] of Object.entries(value)) {
    text += `${name}:${textOf(field)},`;
  }
  return `${text}}`;
}
