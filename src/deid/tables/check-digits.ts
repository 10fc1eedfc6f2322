/** Verhoeff's check digit: the multiplication table of the dihedral group D5, and the permutation of each place, which repeats after eight. */
const PRODUCTS = [
  ...["0123456789", "1234067895", "2340178956", "3401289567", "4012395678"],
  ...["5987604321", "6598710432", "7659821043", "8765932104", "9876543210"],
];
const PERMUTATIONS = [
  ...["0123456789", "1576283094", "5803796142", "8916043527"],
  ...["9453126870", "4286573901", "2793806415", "7046913258"],
];
const SNOMED_CONCEPT = /^[1-9][0-9]{2,14}[01]0[0-9]$/;
const LOINC_CODE = /^([0-9]{1,6})-([0-9])$/;

/** A concept of SNOMED CT or an extension of it, with the check digit that tells it from other numbers. SNOMED CT Release File Specification 6. */
export function isSnomedConcept(value: string): boolean {
  if (!SNOMED_CONCEPT.test(value)) return false;
  let check = 0;
  for (const [place, digit] of [...value].reverse().entries()) {
    const permuted = Number(PERMUTATIONS[place % 8]?.charAt(Number(digit)));
    check = Number(PRODUCTS[check]?.charAt(permuted));
  }
  return check === 0;
}

/** A code of LOINC: behind the dash the check digit of Luhn's scheme. */
export function isLoincCode(value: string): boolean {
  const [, digits = "", check] = LOINC_CODE.exec(value) ?? [];
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const doubled = place % 2 === 0 ? 2 * Number(digit) : Number(digit);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return check !== undefined && (10 - (sum % 10)) % 10 === Number(check);
}
