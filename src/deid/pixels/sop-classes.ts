/** What the pixels, or their absence, of a storage SOP class (PS3.4 B.5) mean for letting an object out. */
export type PixelClass =
  /** Acquired images: no burned-in text by nature. */
  | "pass"
  /** Projection images: only with Burned In Annotation (0028,0301) NO. */
  | "needs-flag"
  /** No pixel data by nature. */
  | "no-pixels"
  /** Encapsulated documents. */
  | "document"
  /** Structured content and presentation: left out until its content can be cleaned. */
  | "structured";

export const PIXEL_CLASSES: ReadonlyMap<string, PixelClass> = new Map([
  ["1.2.840.10008.5.1.4.1.1.2", "pass"], // CT
  ["1.2.840.10008.5.1.4.1.1.2.1", "pass"], // Enhanced CT
  ["1.2.840.10008.5.1.4.1.1.2.2", "pass"], // Legacy Converted Enhanced CT
  ["1.2.840.10008.5.1.4.1.1.4", "pass"], // MR
  ["1.2.840.10008.5.1.4.1.1.4.1", "pass"], // Enhanced MR
  ["1.2.840.10008.5.1.4.1.1.4.4", "pass"], // Legacy Converted Enhanced MR
  ["1.2.840.10008.5.1.4.1.1.20", "pass"], // Nuclear Medicine
  ["1.2.840.10008.5.1.4.1.1.128", "pass"], // Positron Emission Tomography
  ["1.2.840.10008.5.1.4.1.1.128.1", "pass"], // Legacy Converted Enhanced PET
  ["1.2.840.10008.5.1.4.1.1.130", "pass"], // Enhanced PET
  ["1.2.840.10008.5.1.4.1.1.66.4", "pass"], // Segmentation
  ["1.2.840.10008.5.1.4.1.1.481.2", "pass"], // RT Dose
  ["1.2.840.10008.5.1.4.1.1.1", "needs-flag"], // Computed Radiography
  ["1.2.840.10008.5.1.4.1.1.1.1", "needs-flag"], // Digital X-Ray, for presentation
  ["1.2.840.10008.5.1.4.1.1.1.1.1", "needs-flag"], // Digital X-Ray, for processing
  ["1.2.840.10008.5.1.4.1.1.1.2", "needs-flag"], // Digital Mammography, for presentation
  ["1.2.840.10008.5.1.4.1.1.1.2.1", "needs-flag"], // Digital Mammography, for processing
  ["1.2.840.10008.5.1.4.1.1.1.3", "needs-flag"], // Digital Intra-Oral X-Ray, for presentation
  ["1.2.840.10008.5.1.4.1.1.1.3.1", "needs-flag"], // Digital Intra-Oral X-Ray, for processing
  ["1.2.840.10008.5.1.4.1.1.13.1.3", "needs-flag"], // Breast Tomosynthesis
  ["1.2.840.10008.5.1.4.1.1.481.3", "no-pixels"], // RT Structure Set
  ["1.2.840.10008.5.1.4.1.1.481.5", "no-pixels"], // RT Plan
  ["1.2.840.10008.5.1.4.1.1.66.1", "no-pixels"], // Spatial Registration
  ["1.2.840.10008.5.1.4.1.1.66.3", "no-pixels"], // Deformable Spatial Registration
  ["1.2.840.10008.5.1.4.1.1.67", "no-pixels"], // Real World Value Mapping
  ["1.2.840.10008.5.1.4.1.1.104.1", "document"], // Encapsulated PDF
  ["1.2.840.10008.5.1.4.1.1.104.2", "document"], // Encapsulated CDA
  ["1.2.840.10008.5.1.4.1.1.104.3", "document"], // Encapsulated STL
  ["1.2.840.10008.5.1.4.1.1.104.4", "document"], // Encapsulated OBJ
  ["1.2.840.10008.5.1.4.1.1.104.5", "document"], // Encapsulated MTL
]);

/** Structured reports, key objects and presentation states: whole families of SOP classes. */
export const STRUCTURED_ROOTS = ["1.2.840.10008.5.1.4.1.1.88.", "1.2.840.10008.5.1.4.1.1.11."] as const;
