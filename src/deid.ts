/** De-identification for programs: `import { createDeidentifier } from "radferry/deid"`. Everything else is free to change. */

export {
  createDeidentifier,
  type Deidentifier,
  type DeidentifierOptions,
  type InstanceTask,
} from "./deid/deidentifier.ts";
export { exportMapping, type MappingResult, type MappingTask } from "./deid/mapping.ts";
export type { InstanceOutcome } from "./deid/outcome.ts";
export { type Preview, type PreviewElement, type PreviewTask, previewDeidentification } from "./deid/preview.ts";
export {
  type AttributeDifference,
  diffProfiles,
  type ProfileDifference,
  type SettingDifference,
} from "./deid/profiles/diff.ts";
export { type Explanation, explainAttribute, explainProfile } from "./deid/profiles/explain.ts";
export {
  importPixlTagOperations,
  type PixlImport,
  type PixlImportOptions,
  type PixlTagOperations,
} from "./deid/profiles/import-pixl.ts";
export { type LintReport, type LintWarning, lintProfile } from "./deid/profiles/lint.ts";
export {
  checkProfileText,
  loadProfile,
  loadProfileDocument,
  type ProfileCheck,
} from "./deid/profiles/load-profile.ts";
export { type ImageSize, masksOfRecipe, type PixlProject, readPixlProject } from "./deid/profiles/pixl-project.ts";
export type { Profile } from "./deid/profiles/profile.ts";
export { type ProfileDocument, profileSchema, type WrittenProfile } from "./deid/profiles/profile-document.ts";
export { ProfileError } from "./deid/profiles/profile-problems.ts";
export type { LookupTable } from "./deid/pseudonyms/lookup-rows.ts";
export { type LookupOptions, loadLookupTable } from "./deid/pseudonyms/lookup-table.ts";
export { type PixlSecrets, pixlHash } from "./deid/pseudonyms/pixl-hash.ts";
export { loadProjectKey, type ProjectKey } from "./deid/pseudonyms/project-key.ts";
export { deidentifyFolder, type FolderFailure, type FolderResult, type FolderTask } from "./deid/run-folder.ts";
export type { FileProblem as ProfileProblem } from "./units/file-problems.ts";
