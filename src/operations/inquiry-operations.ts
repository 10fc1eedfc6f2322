import type { SubmitDocument } from "./documents.ts";
import type {
  CheckDocument,
  InquiryDocument,
  InquiryItem,
  ItemPage,
  PlanDocument,
  SearchDocument,
} from "./inquiries.ts";
import type { FoundChoice, FoundStudy, SearchEstimate, SearchWish } from "./search/documents.ts";

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
  /**
   * What a search would cost the archive, by what is known without asking it.
   * @throws GatewayError PROJECT_UNKNOWN, ARCHIVE_UNKNOWN, SEARCH_QUERY_INVALID, SEARCH_TOO_BROAD, QUERY_KEY_…
   */
  estimateSearch(wish: SearchWish): Promise<SearchEstimate>;
  /**
   * Searches an archive for studies, dividing dates where it cuts its answers. What is found goes to a file of the home, for an hour after the end.
   * @throws GatewayError PROJECT_UNKNOWN, ARCHIVE_UNKNOWN, SEARCH_QUERY_INVALID, SEARCH_TOO_BROAD, QUERY_KEY_…; ARCHIVE_CLOSED, ARCHIVE_PAUSED and
   * ARCHIVE_RESTING while it may not be asked
   */
  searchCohort(wish: SearchWish): Promise<SearchDocument>;
  /** A cohort file of what a search found, CSV in pieces. @throws GatewayError SEARCH_NOT_KEPT */
  searchResult(id: string): AsyncIterable<Uint8Array>;
  /** What a search found, in order, read from where it is kept. @throws GatewayError SEARCH_NOT_KEPT */
  searchStudies(id: string, page: ItemPage): AsyncIterable<FoundStudy>;
  /** Submits what a search found to its project: all of it, or what is chosen. @throws GatewayError SEARCH_NOT_KEPT, COHORT_UNREADABLE when that is nothing */
  submitSearch(id: string, choice?: FoundChoice): Promise<SubmitDocument>;
  listInquiries(): Promise<readonly InquiryDocument[]>;
  showInquiry(id: string): Promise<InquiryDocument>;
  /** What was found so far, in order. */
  inquiryItems(id: string, page: ItemPage): Promise<readonly InquiryItem[]>;
  cancelInquiry(id: string): Promise<InquiryDocument>;
}
