import { checkCohortDelivery } from "./check/check.ts";
import type { OperationsContext } from "./context.ts";
import { exportEvidence } from "./evidence/export-evidence.ts";
import type { InquiryOperations } from "./inquiry-operations.ts";
import { planCohort } from "./plan/plan.ts";
import type { Scope } from "./scope.ts";
import { estimateSearch } from "./search/estimate.ts";
import { searchCohort, searchResult, searchStudies, submitSearch } from "./search/search.ts";

interface Asking {
  once<T>(operation: keyof InquiryOperations, scope: Scope, ask: () => Promise<T>): Promise<T>;
  permitted<T>(operation: keyof InquiryOperations, scope: Scope, items: () => AsyncIterable<T>): AsyncIterable<T>;
}

/** Whoever may see a project may look at what was asked about it. */
export function createInquiryOperations(context: OperationsContext, { once, permitted }: Asking): InquiryOperations {
  const { inquiries, actor } = context;
  return {
    planCohort: (file, project) => once("planCohort", { project }, () => planCohort(context, file, project)),
    checkCohortDelivery: (cohort, options) =>
      once("checkCohortDelivery", { cohort }, () => checkCohortDelivery(context, cohort, options)),
    exportEvidence: (cohort) => permitted("exportEvidence", { cohort }, () => exportEvidence(context, cohort)),
    estimateSearch: (wish) => once("estimateSearch", "site", () => estimateSearch(context, wish)),
    // Who searches an archive sees patients of everybody's.
    searchCohort: (wish) => once("searchCohort", "site", () => searchCohort(context, wish)),
    searchResult: (id) => permitted("searchResult", "site", () => searchResult(context, id)),
    searchStudies: (id, page) => permitted("searchStudies", "site", () => searchStudies(context, id, page)),
    submitSearch: (id, choice) => once("submitSearch", "site", () => submitSearch(context, id, choice)),
    listInquiries: () => once("listInquiries", "own", async () => inquiries.list(actor)),
    showInquiry: (id) => once("showInquiry", "own", async () => inquiries.look(id, actor)),
    inquiryItems: (id, page) => once("inquiryItems", "own", async () => inquiries.items(id, actor, page)),
    cancelInquiry: (id) => once("cancelInquiry", "own", () => inquiries.cancel(id, actor)),
  };
}
