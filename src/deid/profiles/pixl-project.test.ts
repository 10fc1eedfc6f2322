import { describe, expect, it } from "vitest";
import { masksOfRecipe, readPixlProject } from "./pixl-project.ts";
import { ProfileError } from "./profile-problems.ts";

const PROJECT = `project: {name: a, modalities: [US]}
tag_operation_files: {base: [base.yaml, us.yaml], manufacturer_overrides: []}
image_operation_files: {deid_recipes: [us.recipe]}
allowed_manufacturers:
  - {regex: a/b}
  - {regex: company, exclude_series_numbers: [3]}
  - {regex: .*}
`;

function problemsOf(use: () => unknown): readonly string[] {
  try {
    use();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ProfileError)) throw thrown;
    return thrown.problems.map(({ path, line }) => `${path} line ${line}`);
  }
}

const project = (text: string) => () => readPixlProject({ name: "trial.yaml", text });

describe("a project of PIXL", () => {
  it("names its files and becomes filters", () => {
    expect(project(`${PROJECT}series_filters: [scout, /scout/]\n`)()).toEqual({
      files: { base: ["base.yaml", "us.yaml"], manufacturerOverrides: [], recipes: ["us.recipe"] },
      name: "a",
      modalities: ["US"],
      secretPrefix: undefined,
      destination: undefined,
      unknown: [],
      filters: {
        modality: { allow: ["US"] },
        manufacturer: { allow: ["/a\\/b/i", "/company/i", "/.*/i"], on_missing: "exclude" },
        series_number: {
          by_manufacturer: [
            { manufacturer: "/a\\/b/i", deny: [] },
            { manufacturer: "/company/i", deny: [3] },
          ],
          on_missing: "exclude",
        },
        series_description: { deny: ["scout", "/\\/scout\\//i"] },
        min_instances_per_series: 2,
      },
    });
  });

  it("says where it delivers, by which secrets, and what nobody reads", () => {
    const more = `destination: {dicom: ftps, parquet: none, speed: high}\nmin_instances_per_series: null\nowner: me\n`;
    const text = PROJECT.replace("{name: a,", "{name: a, azure_kv_alias: trial,").replace(
      "{regex: .*}",
      "{regex: .*, only: CT}",
    );
    expect(project(text + more)()).toMatchObject({
      secretPrefix: "trial",
      destination: { dicom: "ftps", parquet: "none" },
      filters: { min_instances_per_series: 2 },
      unknown: ["allowed_manufacturers[2].only", "destination.speed", "owner"],
    });
  });

  it("is refused with every problem by its line", () => {
    const bad = PROJECT.replace("us.yaml", "../us.yaml").replace("[3]", "[three]");
    expect(problemsOf(project(`${bad}series_filters: [""]\n`))).toEqual([
      "trial.yaml: tag_operation_files.base[1] line 2",
      "trial.yaml: allowed_manufacturers[1].exclude_series_numbers[0] line 6",
      "trial.yaml: series_filters[0] line 8",
    ]);
    const nobody = PROJECT.slice(0, PROJECT.indexOf("allowed"));
    expect(problemsOf(project(nobody))).toEqual([expect.stringContaining("allowed_manufacturers")]);
    expect(problemsOf(project("a: [b\n"))).toHaveLength(1);
  });
});

describe("a recipe", () => {
  const recipe = (...lines: readonly string[]) => ({ name: "us.recipe", text: ["FORMAT dicom", ...lines].join("\n") });
  const regions = ["%filter graylist", "LABEL Regions # all", "keepcoordinates from:SequenceOfUltrasoundRegions"];

  it("that keeps ultrasound regions becomes a mask for each size", () => {
    expect(masksOfRecipe(recipe(...regions), [{ rows: 6, columns: 8 }]).masks).toEqual([
      { name: "regions-6x8", when: expect.objectContaining({ rows: 6, columns: 8 }), outside: "regions" },
    ]);
  });

  it("that does anything else is refused by its lines", () => {
    const refused = (...lines: readonly string[]) => problemsOf(() => masksOfRecipe(recipe(...lines), []));
    expect(refused(...regions, "coordinates 0,0,512,50")).toEqual(["us.recipe[5] line 5"]);
    expect(refused("LABEL nothing")).toHaveLength(1);
  });
});
