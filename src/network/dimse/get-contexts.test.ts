import { describe, expect, it } from "vitest";
import { storageSopClasses } from "../../dicom/dictionary/sop-classes.ts";
import { transferSyntaxes } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { sopClassGroups, storageContextGroups } from "./get-contexts.ts";
import type { ProposedContext } from "./service-types.ts";

const classes = Object.values(storageSopClasses);

function pairsIn(groups: readonly (readonly ProposedContext[])[]): ReadonlySet<string> {
  return new Set(
    groups
      .flat()
      .flatMap(({ abstractSyntaxUid, transferSyntaxUids }) =>
        transferSyntaxUids.map((uid) => `${abstractSyntaxUid} ${uid}`),
      ),
  );
}

describe("the contexts of a C-GET", () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [20, 8],
  ])("for %i classes take %i associations of at most 128 contexts, each class plain in the first", (count, groups) => {
    const planned = storageContextGroups(classes.slice(0, count));
    expect(planned).toHaveLength(groups);
    for (const group of planned) expect(group.length).toBeLessThanOrEqual(127);
    expect(new Set(planned[0]?.slice(0, count).map((one) => one.abstractSyntaxUid))).toEqual(
      new Set(classes.slice(0, count)),
    );
  });

  it.each([1, 2, 3, 21])("for %i classes have each of them in every syntax", (count) => {
    const pairs = pairsIn(storageContextGroups(classes.slice(0, count)));
    expect(pairs.size).toBe(count * transferSyntaxes.size);
  });

  it("for unknown classes begin with every common one, then have the common compressed syntaxes, then the rare classes", () => {
    const [first = [], ...others] = storageContextGroups([]);
    expect(first).toHaveLength(127);
    expect(new Set(first.map((one) => one.transferSyntaxUids.length))).toEqual(new Set([transferSyntaxes.size]));
    expect(others).toHaveLength(2);
    expect(others[0]?.[0]).toEqual({
      abstractSyntaxUid: storageSopClasses.CTImageStorage,
      transferSyntaxUids: ["1.2.840.10008.1.2.4.70"],
      role: "scp",
    });
    const proposed = new Set([first, ...others].flat().map((one) => one.abstractSyntaxUid));
    expect(classes.filter((uid) => !proposed.has(uid))).toEqual([]);
  });
});

it("puts as many classes together as one association has room for in every syntax", () => {
  const groups = sopClassGroups([...classes.slice(0, 5), classes[0] ?? ""]);
  expect(groups.map(({ length }) => length)).toEqual([2, 2, 1]);
  for (const group of groups) expect(storageContextGroups(group)).toHaveLength(1);
});
