/** Who was who, for those who may know: part of `Operations`. */
export interface LinkageOperations {
  /**
   * CSV text in pieces, the header first: every link of a project. That it is given out is written down first.
   * @throws GatewayError LINKAGE_NOT_KEPT, LINKAGE_DESTROYED, LINKAGE_UNREADABLE, KEY_FILE_…
   */
  exportLinkage(project: string): AsyncIterable<string>;
  /** Who a pseudonym stands for, or what became of a patient; each look is written down first. @throws as `exportLinkage` */
  lookUpLinkage(project: string, wish: LinkageWish): Promise<LinkDocuments>;
  /**
   * Destroys every link of a project and the key they are sealed under; asked again it answers the first time's proof.
   * @throws GatewayError LINKAGE_NOT_KEPT
   */
  destroyLinkage(project: string, options?: { readonly isRehearsal?: boolean }): Promise<LinkageDestroyedDocument>;
}

export type LinkageWish = { readonly pseudonym: string } | { readonly patientId: string };

/** Empty is what the archive did not tell. */
export interface LinkDocument {
  readonly pseudonym: string;
  readonly pseudoStudyInstanceUid: string;
  readonly patientId: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  /** The study job. */
  readonly study: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface LinkDocuments {
  readonly project: string;
  readonly items: readonly LinkDocument[];
}

export interface LinkageDestroyedDocument {
  readonly project: string;
  /** False in a rehearsal: it could be. */
  readonly destroyed: boolean;
  readonly links: number;
  /** SHA-256 over what was destroyed, as docs/linkage.md says. */
  readonly digest?: string;
  readonly at?: string;
  /** Whether the store's journal was emptied of remains too. */
  readonly journalEmptied?: boolean;
}
