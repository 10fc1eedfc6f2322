import { describe, expect, it } from "vitest";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { PixlImportOptions } from "./import-pixl.ts";
import { importPixlTagOperations, type PixlImport, type PixlTagOperations } from "./import-pixl.ts";
import { ProfileError } from "./profile-problems.ts";

interface Operation {
  readonly tag: string;
  readonly op: string;
  readonly name?: string;
}

/** A file of operations, as PIXL writes them. */
function fileOf(
  operations: readonly Operation[],
  name = "base.yaml",
): { readonly name: string; readonly text: string } {
  const lines = operations.map(
    ({ tag, op, name: attribute = "An attribute" }) =>
      `- name: "${attribute}"\n  group: 0x${tag.slice(0, 4)}\n  element: 0x${tag.slice(4)}\n  op: "${op}"\n`,
  );
  return { name, text: lines.join("") };
}

function imported(files: PixlTagOperations, options: Partial<PixlImportOptions> = {}): PixlImport {
  return importPixlTagOperations(files, { name: "from-pixl", ...options });
}

function ruleOf(tag: string, op: string): unknown {
  return imported({ base: [fileOf([{ tag, op }])] }).document.rules?.[0];
}

function problemsOf(files: PixlTagOperations): readonly string[] {
  try {
    imported(files);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ProfileError)) throw thrown;
    expect(thrown).toMatchObject({ code: "PIXL_OPERATIONS_INVALID" });
    return thrown.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe("each operation becomes a rule", () => {
  it.each([
    ["00180050", "keep", { tag: "(0018,0050)", action: "keep" }],
    ["00100040", "keep", { tag: "(0010,0040)", action: "keep", review: "imported" }],
    ["00180060", "delete", { tag: "(0018,0060)", action: "remove" }],
    ["00080050", "replace", { tag: "(0008,0050)", action: "replace", with: "ANONYMIZED" }],
    ["00080020", "replace", { tag: "(0008,0020)", action: "replace", with: "00010101" }],
    ["0008002A", "replace", { tag: "(0008,002A)", action: "replace", with: "00010101010101.000000+0000" }],
    ["00080030", "replace", { tag: "(0008,0030)", action: "replace", with: "000000.00" }],
    ["00101030", "replace", { tag: "(0010,1030)", action: "replace", with: "0" }],
    ["00189073", "replace", { tag: "(0018,9073)", action: "replace" }],
    ["00200052", "replace", { tag: "(0020,0052)", action: "uid" }],
    ["00081140", "replace", { tag: "(0008,1140)", action: "keep", review: "imported" }],
    ["00081155", "replace_UID", { tag: "(0008,1155)", action: "uid" }],
    ["00080050", "empty", { tag: "(0008,0050)", action: "empty" }],
    ["00080050", "empty_or_replace", { tag: "(0008,0050)", action: "by-type", code: "Z/D" }],
    ["00080050", "delete_or_empty", { tag: "(0008,0050)", action: "by-type", code: "X/Z" }],
    ["00080050", "delete_or_replace", { tag: "(0008,0050)", action: "by-type", code: "X/D" }],
    ["00080050", "delete_or_empty_or_replace", { tag: "(0008,0050)", action: "by-type", code: "X/Z/D" }],
    ["00081140", "delete_or_empty_or_replace_UID", { tag: "(0008,1140)", action: "by-type", code: "X/Z/U*" }],
    ["00100020", "secure-hash", { tag: "(0010,0020)", action: "pseudonym" }],
  ])("%s %s", (tag, op, rule) => {
    expect(ruleOf(tag, op)).toEqual(rule);
  });
});

describe("what is replaced becomes what PIXL writes in its place", () => {
  it.each<[vr: string, tag: string, constant?: string]>([
    ["PN", "00080090", "ANONYMIZED"],
    ["LO", "00080080", "ANONYMIZED"],
    ["SH", "00081010", "ANONYMIZED"],
    ["CS", "00180022", "ANONYMIZED"],
    ["ST", "00080081", "ANONYMIZED"],
    ["LT", "00104000", "ANONYMIZED"],
    ["UT", "00181009", "ANONYMIZED"],
    ["DS", "00101030", "0"],
    ["IS", "00181150", "0"],
    ["DA", "00100030", "00010101"],
    ["DT", "00189074", "00010101010101.000000+0000"],
    ["TM", "00100032", "000000.00"],
    ...["FD 00189073", "FL 00181320", "SS 00189219", "US 00280106", "SL 00186020", "UL 00186030"].map(
      (each): [string, string] => [each.slice(0, 2), each.slice(3)],
    ),
  ])("%s", (_vr, tag, constant) => {
    const written = { tag: `(${tag.slice(0, 4)},${tag.slice(4)})`, action: "replace" };
    expect(ruleOf(tag, "replace")).toEqual(constant === undefined ? written : { ...written, with: constant });
  });
});

describe("an operation that PIXL or the engine cannot carry out is refused by its tag", () => {
  it.each([
    ["00080050", "replace_with_value"],
    ["00080050", "regexp"],
    ["00080050", "sanitise"],
    ["00100010", "secure-hash"],
    ["00101010", "replace"],
    ["00080050", "replace_UID"],
  ])("%s %s", (tag, op) => {
    const [problem] = problemsOf({
      base: [
        fileOf([
          { tag: "00180050", op: "keep" },
          { tag, op },
        ]),
      ],
    });
    expect(problem).toContain("base.yaml[1]");
    expect(problem).toContain(`(${tag.slice(0, 4)},${tag.slice(4)})`);
  });

  it("all of them at once, with files that are malformed first", () => {
    expect(
      problemsOf({
        base: [
          fileOf([
            { tag: "00080050", op: "regexp" },
            { tag: "00100010", op: "regexp" },
          ]),
        ],
      }),
    ).toHaveLength(2);
    expect(
      problemsOf({ base: [{ name: "x.yaml", text: "- {name: a, group: 0x10000, element: seven, op: keep}\n" }] }),
    ).toEqual([expect.stringContaining("x.yaml: [0].group"), expect.stringContaining("x.yaml: [0].element")]);
  });
});

it("removes what no operation names, and takes the last operation for a tag", () => {
  const base = [fileOf([{ tag: "00180050", op: "keep" }]), fileOf([{ tag: "00180050", op: "delete" }], "more.yaml")];
  const { document } = imported({ base });
  expect(document).toMatchObject({ unlisted: "remove", rules: [{ tag: "(0018,0050)", action: "remove" }] });
});

describe("descriptions of studies and series", () => {
  const base = [
    fileOf([
      { tag: "00081030", op: "keep" },
      { tag: "0008103E", op: "keep" },
    ]),
  ];

  it("that would be kept are a reason to refuse", () => {
    expect(problemsOf({ base })).toHaveLength(2);
  });

  it("are cleaned where free text is accepted", () => {
    const { document } = imported({ base }, { acceptFreeText: true });
    expect(document.options).toEqual(["clean-descriptors"]);
    expect(document.rules?.map(({ action }) => action)).toEqual(["clean", "clean"]);
  });
});

describe("overrides by manufacturer", () => {
  const text = `- manufacturer: ^siemens
  tags:
    - {name: "SIEMENS MR HEADER private creator", group: 0x0019, element: 0x0010, op: keep}
    - {name: "b value", group: 0x0019, element: 0x100c, op: keep}
    - {name: "somebody else's", group: 0x0029, element: 0x1010, op: keep}
`;

  it("become overrides, private elements by their creator", () => {
    const { document, warnings } = imported({ base: [], manufacturerOverrides: [{ name: "mri.yaml", text }] });
    expect(document.overrides).toEqual([
      {
        when: { manufacturer: "/^siemens/i" },
        rules: [{ tag: '(0019,"SIEMENS MR HEADER",0C)', action: "keep", vr: "IS" }],
      },
    ]);
    expect(document.options).toEqual(["retain-safe-private"]);
    expect(warnings).toEqual([expect.stringContaining("(0029,1010)")]);
  });

  it.each(["delete", "replace"])("take back what all others keep of private elements: %s", (op) => {
    const base = `- {name: "SIEMENS MR HEADER private creator", group: 0x0019, element: 0x0010, op: keep}
- {name: "b value", group: 0x0019, element: 0x100c, op: keep}
`;
    const own = `- manufacturer: siemens
  tags:
    - {name: "b value", group: 0x0019, element: 0x100c, op: ${op}}
    - {name: "kept nowhere", group: 0x0019, element: 0x100e, op: ${op}}
`;
    const files = { base: [{ name: "base.yaml", text: base }] };
    const { document } = imported({ ...files, manufacturerOverrides: [{ name: "mri.yaml", text: own }] });
    expect(document.rules).toEqual([{ tag: '(0019,"SIEMENS MR HEADER",0C)', action: "keep", vr: "IS" }]);
    expect(document.overrides).toEqual([
      { when: { manufacturer: "/siemens/i" }, rules: [{ tag: '(0019,"SIEMENS MR HEADER",0C)', action: "remove" }] },
    ]);
  });

  const privately = (block: string, ...operations: readonly [name: string, element: string, op: string][]): string =>
    operations
      .map(([name, at, op]) => `    - {name: "${name}", group: 0x0019, element: 0x${block}${at}, op: ${op}}\n`)
      .join("");
  const overridden = (...operations: readonly string[]): string =>
    `- manufacturer: any\n  tags:\n${operations.join("")}`;

  it("keep private elements of no creator but the one that is named, in the override or before it", () => {
    const creators = ["GEMS_ACQU_01 creator", "SIEMENS MR HEADER creator"].map((name) =>
      privately("00", [name, "10", "keep"]),
    );
    const [ge = "", siemens = ""] = creators;
    const shared = privately("10", ["shared by both", "27", "keep"]);
    const base = (text: string) => [{ name: "base.yaml", text: text.replaceAll("    - ", "- ") }];
    const keptBy = (first: string, ...operations: readonly string[]): readonly string[] => {
      const manufacturerOverrides = [{ name: "mri.yaml", text: overridden(...operations) }];
      const { overrides = [] } = imported({ base: base(first), manufacturerOverrides }).document;
      return overrides.flatMap(({ rules = [] }) => rules.map(({ tag, vr }) => `${tag} ${vr}`));
    };
    expect(keptBy("[]", ge, shared)).toEqual(['(0019,"GEMS_ACQU_01",27) DS']);
    expect(keptBy(ge, shared)).toEqual(['(0019,"GEMS_ACQU_01",27) DS']);
    expect(keptBy(ge, siemens, shared)).toEqual(['(0019,"SIEMENS MR HEADER",27) FD']);
    expect(keptBy("[]", shared)).toHaveLength(2);
  });

  it("keep private elements only where PIXL keeps them, and tell of those that it replaces", () => {
    const operations = privately("10", ["b value", "0c", "delete"], ["gradient", "0e", "replace"]);
    const { document, warnings } = imported({
      base: [],
      manufacturerOverrides: [{ name: "mri.yaml", text: overridden(operations) }],
    });
    expect(document.overrides ?? []).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/\(0019,100E\).* replace: it is removed/)]);
  });

  it("are told of by the manufacturer they stand under, and their place there", () => {
    const second = `- manufacturer: philips
  tags:
    - {name: "Slice Thickness", group: 0x0018, element: 0x0050, op: keep}
    - {name: "Accession Number", group: 0x0008, element: 0x0050, op: regexp}
`;
    expect(problemsOf({ base: [], manufacturerOverrides: [{ name: "mri.yaml", text: text + second }] })).toEqual([
      expect.stringMatching(/^mri\.yaml\[1\]\.tags\[1\]: /),
    ]);
  });

  it("with a regular expression that is not linear are refused", () => {
    const bad = text.replace("^siemens", "(a+)+$");
    expect(() => imported({ base: [], manufacturerOverrides: [{ name: "mri.yaml", text: bad }] })).toThrow(
      GatewayError,
    );
  });
});
