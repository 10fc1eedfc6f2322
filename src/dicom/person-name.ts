import { trimTrailing } from "./values-trim.ts";

/** The three ways a name is written. PS3.5 6.2.1.1. */
export const NAME_GROUPS = ["alphabetic", "ideographic", "phonetic"] as const;
/** The five components of each. PS3.5 6.2.1.1. */
export const NAME_COMPONENTS = ["familyName", "givenName", "middleName", "prefix", "suffix"] as const;

/** A value of VR PN as its component groups, each as written; empty where it is not given. */
export type NameGroups = { readonly [G in (typeof NAME_GROUPS)[number]]: string };

export type NameComponents = { readonly [C in (typeof NAME_COMPONENTS)[number]]: string };

export type PersonName = { readonly [G in (typeof NAME_GROUPS)[number]]: NameComponents };

/** What is behind the third group stays with it: nothing of a name is dropped. */
export function splitNameGroups(text: string): NameGroups {
  const [alphabetic = "", ideographic = "", ...phonetic] = text.split("=");
  return { alphabetic, ideographic, phonetic: phonetic.join("=") };
}

/** Groups that are empty at the end are left out, with the delimiters before them. PS3.5 6.2.1.1. */
export function joinNameGroups({ alphabetic, ideographic, phonetic }: NameGroups): string {
  return trimTrailing([alphabetic, ideographic, phonetic].join("="), "=");
}

/** One value of VR PN. What is behind the fifth component of a group stays with it. */
export function parsePersonName(text: string): PersonName {
  const { alphabetic, ideographic, phonetic } = splitNameGroups(text);
  return {
    alphabetic: componentsOf(alphabetic),
    ideographic: componentsOf(ideographic),
    phonetic: componentsOf(phonetic),
  };
}

function componentsOf(group: string): NameComponents {
  const [familyName = "", givenName = "", middleName = "", prefix = "", ...suffix] = group
    .split("^")
    .map((component) => component.trim());
  return { familyName, givenName, middleName, prefix, suffix: suffix.join("^") };
}

/** Components and groups that are empty at the end are left out, with the delimiters before them. PS3.5 6.2.1.1. */
export function formatPersonName({ alphabetic, ideographic, phonetic }: PersonName): string {
  return joinNameGroups({
    alphabetic: groupOf(alphabetic),
    ideographic: groupOf(ideographic),
    phonetic: groupOf(phonetic),
  });
}

function groupOf(components: NameComponents): string {
  return trimTrailing(NAME_COMPONENTS.map((component) => components[component]).join("^"), "^");
}
