/** Namespaces of RAD-69 messages: SOAP 1.2, WS-Addressing, IHE ITI-43 and RAD-69, ebRS 3.0, XOP. */
export const NAMESPACES = {
  soap12: "http://www.w3.org/2003/05/soap-envelope",
  soap11: "http://schemas.xmlsoap.org/soap/envelope/",
  addressing: "http://www.w3.org/2005/08/addressing",
  ihe: "urn:ihe:iti:xds-b:2007",
  iherad: "urn:ihe:rad:xdsi-b:2009",
  registry: "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0",
  xop: "http://www.w3.org/2004/08/xop/include",
} as const;

/** WS-Addressing actions. ITI TF-2 3.43, RAD TF-2 4.69, 4.75. */
export const ACTIONS = {
  request: "urn:ihe:rad:2009:RetrieveImagingDocumentSet",
  response: "urn:ihe:iti:2007:RetrieveDocumentSetResponse",
  fault: "http://www.w3.org/2005/08/addressing/fault",
} as const;

/** WS-Addressing 1.0 3.2.1: the answer comes over the same connection. */
export const ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous";

/** TF-3 table 4.2.4.2-4: the prefix of one is not that of the others. */
export const RESPONSE_STATUS = {
  success: "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success",
  partialSuccess: "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess",
  failure: "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure",
} as const;

/** ebRS 3.0 2.1.3. */
export const SEVERITY = {
  error: "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error",
  warning: "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning",
} as const;

export const MEDIA = {
  multipart: "multipart/related",
  xop: "application/xop+xml",
  soap12: "application/soap+xml",
  dicom: "application/dicom",
} as const;

/** What carries a SOAP envelope. */
export const XML_TYPES: ReadonlySet<string> = new Set([MEDIA.xop, MEDIA.soap12, "text/xml", "application/xml"]);
