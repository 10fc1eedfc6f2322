import { expect, it } from "vitest";
import { isStructureName, partsOfStructureName } from "./structure-names.ts";

it.each([
  // As AAPM TG-263 makes them.
  ...["SpinalCord", "Lung_L", "A_Carotid_R", "LN_Neck_IIA_L", "BrachialPlex_L", "Bowel_Small", "Glnd_Submand_L"],
  ...["Femur_Head_R", "VB_C01", "CN_III_L", "Bag_Bowel", "SpinalCord_PRV05", "Lung~_L", "Lungs-GTV", "Kidney_Cortex_L"],
  // As programs that segment write them.
  ...["kidney_right", "adrenal_gland_left", "small_bowel", "vertebrae_L5", "pulmonary_vein", "Esophagus"],
  ...["PTVp_5040", "GTVn1_CT1PT2", "CTV_High", "ITV"],
])("%s is a structure's name", (label) => {
  expect(isStructureName(label)).toBe(true);
});

it.each([
  ...["Abernathy", "Lung_Abernathy", "AbernathyLung", "Dr_Lung", "Lung_2024", "Lung_4711", "LungOfAbernathy"],
  // A date, a number in parts, a word in letters.
  ...["Lung_20240229", "Lung_29_02_24", "Lung_47_11_08", "S_T_I_L_L", "L_E_A_N_N_E"],
  ...["", "Lung ", " Lung", "Lung L", "Lung\\Heart", "Lung_", "_Lung", "Lung__L", "PTV_2024"],
  "Lung_Lung_Lung_Lung_Lung_Lung_Lung_Lung",
])("%j is none", (label) => {
  expect(isStructureName(label)).toBe(false);
});

it("is told from its words, which may be somebody's name as well", () => {
  expect(partsOfStructureName("LN_NeckRoot_IIA12")).toEqual(["ln", "neck", "root", "iia", "12"]);
});
