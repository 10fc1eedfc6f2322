/** Sequences of content items: each item is judged by its concept name and value type. PS3.15 E.3.4. */
export const CONTENT_SEQUENCES: ReadonlySet<number> = new Set([
  0x00400555, // Acquisition Context
  0x00400612, // Specimen Preparation Step Content Item
  0x0040a730, // Content
  0x0040a731, // Content Item Modifier
]);

/** Sequences of structured content and key objects that hold codes, numbers and references alone. PS3.3 C.17. */
export const CONTENT_PART_SEQUENCES: readonly number[] = [
  0x0040a043, // Concept Name Code
  0x0040a168, // Concept Code
  0x0040a300, // Measured Value
  0x0040a301, // Numeric Value Qualifier Code
  0x0040a360, // Predecessor Documents
  0x0040a372, // Performed Procedure Code
  0x0040a375, // Current Requested Procedure Evidence
  0x0040a385, // Pertinent Other Evidence
  0x0040a504, // Content Template
  0x0040a525, // Identical Documents
];
