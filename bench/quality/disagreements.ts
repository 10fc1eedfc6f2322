/** What the profile `research` does not keep though somebody may expect it, and why. */
export const DISAGREEMENTS: readonly string[] = [
  "Ethnic Group (0010,2160) is free text of any spelling: it goes, though the option that retains patient characteristics allows it.",
  "Source and referenced images at the top level of CT and MR images (X/Z/U* of PS3.15 Table E.1-1): optional in these IODs, so they go, as the table has it; within functional groups, reports, segmentations and plans they stay.",
  "Procedure codes at the top level and coded entries of local schemes go: only codes of public schemes, in sequences that describe the acquisition, stay.",
  "Descriptions that the table does not name (Content Description, Dose Comment): free text of no list goes whole.",
  "Tracking ID, plan and structure set labels: what is an identifier by its attribute stays in no part, though words of it are of the vocabulary.",
  "Image Type begins with DERIVED once an image is blackened in part; Verification Flag is UNVERIFIED once its observers are gone.",
  "Ultrasound, secondary capture, angiography and fluoroscopy leave behind a mask only, documents as an empty page only: without a profile that says so they are left out, and each of their actions counts as a loss.",
  "`basic` keeps no date, no age and no description, and holds a study back with one of its instances: the set is scored by what the options of `research` promise.",
];
