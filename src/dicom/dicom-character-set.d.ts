/** The package ships no types: what is used of it. */
declare module "dicom-character-set" {
  export function convertBytes(
    specificCharacterSet: string | undefined,
    bytes: Uint8Array,
    options?: { readonly vr?: string },
  ): string;
}
