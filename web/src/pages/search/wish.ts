/** What stands in the form, as it was typed. */
export interface Wish {
  readonly project: string;
  readonly archive: string;
  readonly patient: string;
  /** YYYY-MM-DD, as the browser's date fields have it; for standing cohorts also `today`, `-7d` or `-2w`. */
  readonly from: string;
  readonly to: string;
  readonly modality: string;
  readonly description: string;
  /** KEYWORD=value, one a line. */
  readonly keys: string;
  /** Studies at most; empty: as the gateway has it. */
  readonly most: string;
  readonly everything: boolean;
}

export const EMPTY_WISH: Wish = {
  ...{ project: "", archive: "", patient: "", from: "", to: "", modality: "", description: "", keys: "", most: "" },
  everything: false,
};

/** What the API is asked with, for a search and for a standing cohort alike. */
export function bodyOf(wish: Wish) {
  const { project, archive, from, to, modality, description, most, everything } = wish;
  const query = {
    keys: keysOf(wish),
    ...given("from", undashed(from)),
    ...given("to", undashed(to)),
    ...given("modality", modality),
    ...given("description", description),
  };
  return {
    project,
    archive,
    queries: [query],
    ...(most === "" ? {} : { maximumStudies: Number(most) }),
    ...(everything ? { yesAll: true } : {}),
  };
}

function keysOf({ patient, keys }: Wish): readonly string[] {
  const lines = keys
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return patient.trim() === "" ? lines : [`PatientID=${patient.trim()}`, ...lines];
}

function given(name: string, value: string): Readonly<Record<string, string>> {
  return value.trim() === "" ? {} : { [name]: value.trim() };
}

/** Days back have a dash that is part of them. */
function undashed(date: string): string {
  return /^\d{4}-\d\d-\d\d$/.test(date.trim()) ? date.trim().replaceAll("-", "") : date;
}
