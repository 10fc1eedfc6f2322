import { expect, it } from "vitest";
import { cleanText, isCleanText, vocabularyOf } from "./clean-text.ts";

const vocabulary = vocabularyOf();
const identifiers = new Set(["brandybuck", "meriadoc", "hand", "mrn4455667", "ct123", "head12"]);
const clean = (text: string): string => cleanText(text, vocabulary, (folded) => identifiers.has(folded));

it.each([
  ["AXIAL LUNG", "AXIAL LUNG"],
  ["t1_mprage_sag_p2_iso", "t1_mprage_sag_p2_iso"],
  ["CT Thorax/Abdomen + contrast (portal venous) 1.25mm", "CT Thorax/Abdomen + contrast (portal venous) 1.25mm"],
  ["Head 5.0 H31s", "Head 5.0 H31s"],
  ["MR Brain with and without contrast", "MR Brain with and without contrast"],
  ["Thoráx, BRÄIN", "Thoráx, BRÄIN"],
  ["a\u0301bdomen", "ábdomen"],
  ["HR CT lung, MR knee", "HR CT lung, MR knee"],
  ["T1 W 3 mm, L5 S1, 3D", "T1 W 3 mm, L5 S1, 3D"],
  ["B70f H31s I50f 3T 7T M0 60m 5 min", "B70f H31s I50f 3T 7T M0 60m 5 min"],
  ["T2 TSE 512x512 3 mm", "T2 TSE 512x512 3 mm"],
])("keeps what describes the image: %s", (text, expected) => {
  expect(clean(text)).toBe(expected);
});

it.each([
  ["a name", "Thorax of Brandybuck", "Thorax of"],
  ["a name that is a word, when somebody has it", "right HAND", "right"],
  ["who follows a title", "chest, Dr Head", "chest"],
  ["who follows a title and an initial", "chest for Prof. A. Head", "chest for"],
  ["who follows a title in small letters", "mr head", ""],
  ["who follows a title with a dot", "MR. Head lung", "lung"],
  ["a long number", "CT 20240229 chest", "CT chest"],
  ["a date in pieces", "chest 12/03/24", "chest"],
  ["a date with dots", "chest 1.2.24 late", "chest late"],
  ["a telephone number in blocks", "call 943 476 5919 chest", "chest"],
  ["an age", "chest 92 years", "chest"],
  ["who follows a German title", "Lung of Dr. med. Head, chest", "Lung of chest"],
  ["who follows titles in a row", "chest Prof. Dr. rer. nat. habil. Head", "chest"],
  ["who follows Herrn", "Thorax Herrn Head", "Thorax"],
  ["who follows Sr.", "lung Sr. Head", "lung"],
  ["who follows Sra.", "lung de la Sra. Head", "lung"],
  ["who follows Mme", "lung Mme Head", "lung"],
  ["who follows M.", "lung M. Head", "lung"],
  ["who follows Mr", "lung Mr Head", "lung"],
  ["who follows a title with all names", "chest Mr Tim Small, lung", "chest lung"],
  ["who follows a title with two names in one", "chest Dr Head-Long lung", "chest lung"],
  ["who follows a title with what is before a family name", "chest Mevr. van der Head, lung", "chest lung"],
  ["who follows a title in capitals", "CHEST DR TIM SMALL, LUNG", "CHEST LUNG"],
  ["who is in front of a degree", "chest Head PhD lung", "chest lung"],
  ["an age behind its name", "chest age 95 lung", "chest lung"],
  ["an age in words around it", "chest aged 95, 95 y/o, 95yo, 95-year-old, age: 95", "chest"],
  ["an age beside a sex", "chest F95 M 95 95/F 95M female 95", "chest"],
  ["an age of other languages", "chest Alter 95, 95 Jahre, 95 ans, edad 95, 95 años, 95 anni", "chest"],
  ["an age of languages of the north and east", "chest 95 år, 95 J., 95 let, 95 vuotta, 95 jr, 95 Jhr.", "chest"],
  ["a date with a Roman month", "chest 12.XI.1950 lung", "chest lung"],
  ["a short date with a Roman month", "chest 12.XI.50 lung", "chest lung"],
  ["a date with a month in words", "chest 12 Nov 50, Nov 12 50, 5th May, lung", "chest lung"],
  ["numbers that come together", "chest 943 Meriadoc 476", "chest"],
  ["an identifier that comes together", "CT Meriadoc 123 chest", "chest"],
  ["an identifier written apart", "CT 123 chest", "chest"],
  ["an identifier with a mark in it", "head-12 lung", "lung"],
  ["other alphabets", "胸部 CT Грудь", "CT"],
  ["everything, where nothing is known", "Saint Elsewhere", ""],
])("drops %s", (_name, text, expected) => {
  expect(clean(text)).toBe(expected);
});

it("leaves a cleaned text as it is, and knows one", () => {
  for (const text of ["CT Thorax/Abdomen contrast (portal venous 1.25mm", "t1_mprage_sag_p2_iso", "Head 5.0 H31s"]) {
    expect(clean(text)).toBe(text);
    expect(isCleanText(text, vocabulary)).toBe(true);
  }
  for (const text of ["Brandybuck", "Dr", "CT 20240229", "CT\0lung", " CT", "CT ", "12/03/24", "胸部"])
    expect(isCleanText(text, vocabulary), text).toBe(false);
});

it("takes a project's own words in any script", () => {
  const own = vocabularyOf(["großes", "頭部"]);
  expect(cleanText("Großes Becken, 頭部 CT 胸部", own, () => false)).toBe("Großes 頭部 CT");
  expect(cleanText("頭部 CT", own, (folded) => folded === "頭部")).toBe("CT");
});

it("takes a project's own words, in any spelling, and has another hash then", () => {
  const own = vocabularyOf(["Zénith"]);
  expect(cleanText("zenith ZENITH", own, () => false)).toBe("zenith ZENITH");
  expect(own.hash).not.toBe(vocabulary.hash);
});
