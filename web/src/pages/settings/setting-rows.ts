export interface SettingRow {
  /** As `archives[0].address`. */
  readonly path: string;
  /** Within its group. */
  readonly name: string;
  readonly text: string;
  /** The gateway has put asterisks in its place. */
  readonly isHidden: boolean;
}

export interface SettingGroup {
  readonly title: string;
  readonly rows: readonly SettingRow[];
}

const MASK = "***";

/** A group for each part of the settings, and for each item of a list of archives, destinations or projects. */
export function groupsOf(settings: Readonly<Record<string, unknown>>): readonly SettingGroup[] {
  const general: SettingRow[] = [];
  const groups: SettingGroup[] = [];
  for (const [name, value] of Object.entries(settings)) {
    if (isList(value) && value.some(isGroup))
      groups.push(
        ...value.map((item, index) => ({
          title: titleOf(name, item, index),
          rows: rowsOf("", item, `${name}[${index}]`),
        })),
      );
    else if (isGroup(value)) groups.push({ title: name, rows: rowsOf("", value, name) });
    else general.push(...rowsOf(name, value, name));
  }
  return [{ title: "General", rows: general }, ...groups];
}

const ONE: Readonly<Record<string, string>> = { archives: "Archive", destinations: "Destination", projects: "Project" };

function titleOf(list: string, item: unknown, index: number): string {
  const name = isGroup(item) && typeof item.name === "string" ? item.name : String(index + 1);
  return `${ONE[list] ?? list} ${name}`;
}

function rowsOf(name: string, value: unknown, path: string): readonly SettingRow[] {
  if (isGroup(value))
    return Object.entries(value).flatMap(([key, item]) =>
      rowsOf(name === "" ? key : `${name}.${key}`, item, `${path}.${key}`),
    );
  if (isList(value) && value.some(isGroup))
    return value.flatMap((item, index) => rowsOf(`${name}[${index}]`, item, `${path}[${index}]`));
  const text = isList(value) ? value.map(String).join(", ") || "none" : String(value);
  return [{ path, name, text, isHidden: text === MASK }];
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
