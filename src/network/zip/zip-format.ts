/** Signatures. APPNOTE 4.3.7, 4.3.12, 4.3.14, 4.3.15, 4.3.16. */
export const LOCAL_HEADER = 0x04034b50;
export const CENTRAL_HEADER = 0x02014b50;
export const END_OF_DIRECTORY = 0x06054b50;
export const END_OF_DIRECTORY_64 = 0x06064b50;
export const LOCATOR_64 = 0x07064b50;

/** Lengths of what is before names, extra fields and comments. */
export const LOCAL_HEADER_BYTES = 30;
export const CENTRAL_HEADER_BYTES = 46;
export const END_OF_DIRECTORY_BYTES = 22;
export const END_OF_DIRECTORY_64_BYTES = 56;
export const LOCATOR_64_BYTES = 20;

/** In a field of 16 or 32 bits: the value is in the ZIP64 record. APPNOTE 4.4.1.4. */
export const IN_ZIP64_16 = 0xffff;
export const IN_ZIP64_32 = 0xffffffff;
/** Extra field with the sizes and the offset that 32 bits do not hold. APPNOTE 4.5.3. */
export const ZIP64_EXTRA = 0x0001;

/** Compression method: as it is. APPNOTE 4.4.5. */
export const STORED = 0;
/** Compression method: deflated. APPNOTE 4.4.5. */
export const DEFLATED = 8;
