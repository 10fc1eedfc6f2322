import type { CheckDocument, InquiryDocument, InquiryItem, ItemPage, PlanDocument } from "./inquiries.ts";

/**
 * Questions that take their time, so that nobody waits for them: asked once, then looked at until they are done. Part of `Operations`.
 * @throws GatewayError INQUIRIES_EXHAUSTED, INQUIRY_NOT_FOUND
 */
export interface InquiryOperations {
  /** Asks the archives, as they allow, what submitting a file would come to. Nothing is kept. */
  planCohort(file: string, project: string): Promise<PlanDocument>;
  /**
   * Compares archives, ledger and destinations for every study of a cohort.
   * @param options.queue has the difference retrieved and delivered where that can be
   */
  checkCohortDelivery(cohort: string, options: { readonly queue: boolean }): Promise<CheckDocument>;
  /**
   * The zip of what a cohort asked for, what came, what was done to it and what was delivered: signed, and without any identifier.
   * @throws GatewayError EVIDENCE_KEY_UNUSABLE
   */
  exportEvidence(cohort: string): AsyncIterable<Uint8Array>;
  listInquiries(): Promise<readonly InquiryDocument[]>;
  showInquiry(id: string): Promise<InquiryDocument>;
  /** What was found so far, in order. */
  inquiryItems(id: string, page: ItemPage): Promise<readonly InquiryItem[]>;
  cancelInquiry(id: string): Promise<InquiryDocument>;
}
