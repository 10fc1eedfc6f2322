/** What a copy of the store holds. */
export interface BackupFacts {
  readonly schemaVersion: number;
  readonly jobs: number;
  readonly auditRecords: number;
}

export interface BackupStore {
  /**
   * Writes the whole store, as it is at one moment, into an empty file, while others go on writing. How far the audit trail goes is written
   * into it as the file beside the store says it, not as the store does.
   */
  backUp(path: string): Promise<BackupFacts>;
}
