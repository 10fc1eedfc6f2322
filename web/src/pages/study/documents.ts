import type { ApiDocument, Study } from "../../api/documents.ts";

export type StudyEvent = Study["events"][number];
export type Delivery = NonNullable<Study["deliveries"]>[number];
export type Instance = NonNullable<Study["instances"]>[number];
export type Ledger = ApiDocument<"Ledger">;
export type SeriesLedger = Ledger["items"][number];
export type DeidReport = ApiDocument<"DeidReport">;
export type Identity = ApiDocument<"Identity">;
export type FailureList = ApiDocument<"FailureList">;
export type Failure = FailureList["items"][number];
