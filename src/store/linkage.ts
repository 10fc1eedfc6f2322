import type { AuditEvent } from "../units/audit.ts";

/** Who a pseudonym and a new study stand for, sealed: the store can read none of it. */
export interface NewLink {
  readonly pseudonym: string;
  readonly pseudoStudyInstanceUid: string;
  /** Keyed digests, hexadecimal, by which a link is found again. */
  readonly studyDigest: string;
  /** Undefined: the archive told no patient id. */
  readonly patientDigest: string | undefined;
  readonly sealed: Uint8Array;
}

export interface LinkRecord extends NewLink {
  /** In the order in which links were first kept; a page goes on after one. */
  readonly number: number;
  /** The job that was last de-identified with it. */
  readonly job: string;
  readonly atMs: number;
}

/** What is left of a linkage that was destroyed. */
export interface LinkageProof {
  readonly links: number;
  /** SHA-256, hexadecimal, over pseudonym LF, new Study Instance UID LF and the sealed bytes of each link in turn. */
  readonly digest: string;
  readonly atMs: number;
}

/** Whether a project's linkage is kept, by the wrapped key that its links are sealed under. */
export type LinkageKeeping =
  | { readonly kind: "kept"; readonly wrappedKey: Uint8Array }
  | { readonly kind: "destroyed"; readonly proof: LinkageProof };

/** Which links of a project are meant; none told: all. */
export interface LinkFilter {
  readonly pseudonym?: string;
  readonly patientDigest?: string;
}

/** The part of the store that keeps who was who. `JobChange` writes links; of a project whose linkage is not kept, none. */
export interface LinkageStore {
  /** Takes the key for the project's unless it has one; what was destroyed stays so. */
  openLinkage(project: string, wrappedKey: Uint8Array, nowMs: number): Promise<LinkageKeeping>;
  /** Undefined: the project never had one. `proof`: it was destroyed. */
  linkageOf(project: string): Promise<{ readonly links: number; readonly proof: LinkageProof | undefined } | undefined>;
  listLinks(
    project: string,
    filter: LinkFilter,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly LinkRecord[]>;
  /**
   * Overwrites the links of a project and the key that they are sealed under; a second time it answers the first one's proof.
   * @param audit written in the same transaction, with number and digest of the links
   * @throws GatewayError LINKAGE_NOT_KEPT when the project never had one
   */
  destroyLinkage(project: string, audit: AuditEvent, nowMs: number): Promise<LinkageProof>;
  /** Takes what was overwritten out of the store's journal too. False: somebody reads, and it happens later. */
  emptyJournal(): Promise<boolean>;
}
