import type { JsonDataSet } from "./json.ts";

/** What is still to be written: a text as it is, or an object of attributes. */
type Task = string | { readonly attributes: object };

/**
 * The text of a DICOM JSON model object. `JSON.stringify` puts names that look like array indices, such as "60000010", before all others;
 * here they are in the order of tags, as PS3.18 F.2.2 asks. Nesting costs no call stack.
 */
export function formatDicomJson(json: JsonDataSet): string {
  const parts: string[] = [];
  const pending: Task[] = [{ attributes: json }];
  for (let task = pending.pop(); task !== undefined; task = pending.pop()) {
    if (typeof task === "string") parts.push(task);
    else for (const next of tasksOf(task.attributes).reverse()) pending.push(next);
  }
  return parts.join("");
}

function tasksOf(attributes: object): Task[] {
  const tasks: Task[] = ["{"];
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [index, [name, attribute]] of sorted.entries()) {
    tasks.push(`${index === 0 ? "" : ","}${JSON.stringify(name)}:`);
    const items = itemsOf(attribute);
    if (items === undefined) tasks.push(JSON.stringify(attribute));
    else {
      tasks.push('{"vr":"SQ","Value":[');
      for (const [position, item] of items.entries()) tasks.push(position === 0 ? "" : ",", { attributes: item });
      tasks.push("]}");
    }
  }
  tasks.push("}");
  return tasks;
}

/** The items of a sequence that has some. */
function itemsOf(attribute: JsonDataSet[string]): readonly object[] | undefined {
  const { vr, Value: values } = attribute;
  return vr === "SQ" ? values?.filter((value) => typeof value === "object" && value !== null) : undefined;
}
