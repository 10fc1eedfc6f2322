/** A member of what may be an object; undefined: it is none, or has none. */
export function memberAt(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

/** A list that may be missing. */
export function listAt(value: unknown, key: string): readonly unknown[] {
  const member = memberAt(value, key);
  return Array.isArray(member) ? member : [];
}
