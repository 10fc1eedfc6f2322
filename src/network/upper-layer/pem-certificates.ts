import { X509Certificate } from "node:crypto";

const WHOLE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/g;
const MARKS = {
  begins: /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g,
  ends: /-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g,
} as const;

/**
 * The certificates of a PEM text in its order, whether or not a line ends between them. RFC 7468 5.
 * @throws an error when one cannot be read or is cut short: OpenSSL passes over such authorities, and trusts less then
 */
export function pemCertificates(pem: string): readonly string[] {
  const certificates = pem.match(WHOLE) ?? [];
  const isWhole = Object.values(MARKS).every((mark) => (pem.match(mark) ?? []).length === certificates.length);
  if (!isWhole) throw new RangeError("a certificate is cut short");
  for (const certificate of certificates) new X509Certificate(certificate);
  return certificates;
}
