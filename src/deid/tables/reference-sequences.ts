/** How images lie to one another, and what one refers to another for: transformations, codes and references. PS3.3 C.20.2, 10.3, C.10.10. */
export const REFERENCE_SEQUENCES: readonly number[] = [
  0x0040a170, // Purpose of Reference Code
  0x0040a195, // Modifier Code
  0x00700308, // Registration
  0x00700309, // Matrix Registration
  0x0070030a, // Matrix
  0x0070030d, // Registration Type Code
  0x00700314, // Used Fiducials
  0x00700404, // Referenced Spatial Registration
];
