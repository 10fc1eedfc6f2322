/** Files in the shape of PIXL's (github.com/SAFEHR-data/PIXL, projects/configs): its operations by scheme, and what a project's file says. */

type Operation = readonly [tag: string, op: string, name: string];

function scheme(operations: readonly Operation[]): string {
  return operations
    .map(
      ([tag, op, name]) =>
        `- name: "${name}"\n  group: 0x${tag.slice(0, 4)}\n  element: 0x${tag.slice(4)}\n  op: "${op}"\n`,
    )
    .join("");
}

const BASE = scheme([
  ["00080005", "keep", "Specific Character Set"],
  ["00080008", "keep", "Image Type"],
  ["00080016", "keep", "SOP Class UID"],
  ["00080018", "replace_UID", "SOP Instance UID"],
  ["00080020", "replace", "Study Date"],
  ["00080030", "replace", "Study Time"],
  ["00080050", "replace", "Accession Number"],
  ["00080060", "keep", "Modality"],
  ["00080070", "keep", "Manufacturer"],
  ["00080090", "replace", "Referring Physician's Name"],
  ["00081030", "keep", "Study Description"],
  ["0008103E", "keep", "Series Description"],
  ["00081155", "replace_UID", "Referenced SOP Instance UID"],
  ["00100010", "replace", "Patient's Name"],
  ["00100020", "secure-hash", "Patient ID"],
  ["00100030", "replace", "Patient's Birth Date"],
  ["00100040", "keep", "Patient's Sex"],
  ["00131010", "keep", "Project name"],
  ["0020000D", "replace_UID", "Study Instance UID"],
  ["0020000E", "replace_UID", "Series Instance UID"],
  ["00200011", "keep", "Series Number"],
  ["00200013", "keep", "Instance Number"],
  ["00280010", "keep", "Rows"],
  ["00280011", "keep", "Columns"],
  ["7FE00010", "keep", "Pixel Data"],
]);

const SCHEMES: Readonly<Record<string, string>> = {
  "base.yaml": BASE,
  "ct.yaml": scheme([
    ["00180050", "keep", "Slice Thickness"],
    ["00180060", "keep", "KVP"],
    ["00181150", "keep", "Exposure Time"],
  ]),
  "mri.yaml": scheme([
    ["00180020", "keep", "Scanning Sequence"],
    ["00180087", "keep", "Magnetic Field Strength"],
    ["00189087", "keep", "Diffusion b-value"],
    ["00189117", "keep", "MR Diffusion Sequence"],
    ["00180050", "delete", "Slice Thickness"],
  ]),
  "xray.yaml": scheme([
    ["00185101", "keep", "View Position"],
    ["00181411", "keep", "Exposure Index"],
    ["00400302", "keep", "Entrance Dose"],
    ["00102180", "delete", "Occupation"],
  ]),
  "pet.yaml": scheme([
    ["00540016", "keep", "Radiopharmaceutical Information Sequence"],
    ["00181074", "keep", "Radionuclide Total Dose"],
    ["00181078", "replace", "Radiopharmaceutical Start DateTime"],
    ["00080022", "delete_or_replace", "Acquisition Date"],
  ]),
  "us.yaml": scheme([
    ["00186011", "keep", "Sequence of Ultrasound Regions"],
    ["00186018", "keep", "Region Location Min x0"],
    ["00181000", "keep", "Device Serial Number"],
  ]),
  "rt-struct.yaml": scheme([
    ["30060020", "keep", "Structure Set ROI Sequence"],
    ["30060022", "keep", "ROI Number"],
    ["30060026", "keep", "ROI Name"],
    ["30060050", "keep", "Contour Data"],
    ["00200052", "replace_UID", "Frame of Reference UID"],
  ]),
  "rt-plan.yaml": scheme([
    ["300A0002", "empty_or_replace", "RT Plan Label"],
    ["300A0006", "delete_or_empty", "RT Plan Date"],
    ["300E0002", "keep", "Approval Status"],
    ["300C0002", "keep", "Referenced RT Plan Sequence"],
  ]),
  "rt-dose.yaml": scheme([
    ["30040002", "keep", "Dose Units"],
    ["3004000E", "keep", "Dose Grid Scaling"],
    ["00081140", "delete_or_empty_or_replace_UID", "Referenced Image Sequence"],
    ["00081070", "delete_or_empty_or_replace", "Operators' Name"],
  ]),
  "manufacturer-overrides/mri.yaml": `- manufacturer: ^siemens
  tags:
    - {name: "SIEMENS MR HEADER private creator", group: 0x0019, element: 0x0010, op: keep}
    - {name: "b value", group: 0x0019, element: 0x100c, op: keep}
- manufacturer: philips
  tags:
    - {name: "Philips Imaging DD 001 private creator", group: 0x2001, element: 0x0010, op: keep}
    - {name: "Diffusion B-Factor", group: 0x2001, element: 0x1003, op: keep}
`,
};

/** A file of PIXL's folder `tag-operations`. */
export function pixlScheme(name: string): { readonly name: string; readonly text: string } {
  const text = SCHEMES[name];
  if (text === undefined) throw new TypeError(`no scheme ${name}`);
  return { name, text };
}

export const PIXL_SCHEMES: readonly string[] = Object.keys(SCHEMES);

/** A project's file: MR of two manufacturers, some series of one of them left out. */
export const PIXL_PROJECT = `project:
  name: "trial of mri"
  modalities: ["MR"]
tag_operation_files:
  base: ["base.yaml", "mri.yaml"]
  manufacturer_overrides: ["mri.yaml"]
allowed_manufacturers:
  - regex: "^company"
    exclude_series_numbers: [3, 123456789]
  - regex: "^philips"
    exclude_series_numbers: []
series_filters: ["localizer", "Scout"]
min_instances_per_series: 2
destination: {dicom: "ftps", parquet: "ftps"}
`;
