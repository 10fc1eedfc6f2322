/** PS3.16 CID 7050, scheme DCM: the profile and its options, in the order of the context group. */
export const OPTIONS = {
  basic: { code: "113100", meaning: "Basic Application Confidentiality Profile" },
  "clean-pixel-data": { code: "113101", meaning: "Clean Pixel Data Option" },
  "clean-recognizable-visual-features": { code: "113102", meaning: "Clean Recognizable Visual Features Option" },
  "clean-graphics": { code: "113103", meaning: "Clean Graphics Option" },
  "clean-structured-content": { code: "113104", meaning: "Clean Structured Content Option" },
  "clean-descriptors": { code: "113105", meaning: "Clean Descriptors Option" },
  "retain-longitudinal-full-dates": {
    code: "113106",
    meaning: "Retain Longitudinal Temporal Information Full Dates Option",
  },
  "retain-longitudinal-modified-dates": {
    code: "113107",
    meaning: "Retain Longitudinal Temporal Information Modified Dates Option",
  },
  "retain-patient-characteristics": { code: "113108", meaning: "Retain Patient Characteristics Option" },
  "retain-device-identity": { code: "113109", meaning: "Retain Device Identity Option" },
  "retain-uids": { code: "113110", meaning: "Retain UIDs Option" },
  "retain-safe-private": { code: "113111", meaning: "Retain Safe Private Option" },
  "retain-institution-identity": { code: "113112", meaning: "Retain Institution Identity Option" },
} as const satisfies Record<string, { readonly code: string; readonly meaning: string }>;

export type OptionName = keyof typeof OPTIONS;

/** In the order of CID 7050. */
export const OPTION_NAMES: readonly OptionName[] = Object.keys(OPTIONS).filter(
  (name): name is OptionName => name in OPTIONS,
);

/** Options as bits, for the one look each element gets. */
export type OptionSet = number;

const BITS: ReadonlyMap<string, OptionSet> = new Map(OPTION_NAMES.map((name, index) => [name, 1 << index]));

export function optionSet(...options: readonly OptionName[]): OptionSet {
  return options.reduce((set, option) => set | (BITS.get(option) ?? 0), 0);
}

export function hasOption(set: OptionSet, option: OptionName): boolean {
  return (set & optionSet(option)) !== 0;
}

/** Options the engine carries out; a profile that names another one is refused. */
export const SUPPORTED_OPTIONS: ReadonlySet<OptionName> = new Set<OptionName>([
  "basic",
  "clean-pixel-data",
  "clean-descriptors",
  "clean-graphics",
  "clean-structured-content",
  "retain-device-identity",
  "retain-institution-identity",
  "retain-longitudinal-full-dates",
  "retain-longitudinal-modified-dates",
  "retain-patient-characteristics",
  "retain-safe-private",
  "retain-uids",
]);

/** Pairs of which a profile may name one. PS3.15 E.3.6. */
export const EXCLUSIVE_OPTIONS: readonly (readonly [OptionName, OptionName])[] = [
  ["retain-longitudinal-full-dates", "retain-longitudinal-modified-dates"],
];
