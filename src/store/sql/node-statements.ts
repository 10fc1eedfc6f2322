/** Statements about nodes and what they hold. */
export const nodeStatements = {
  beatNode: `
    INSERT INTO nodes (name, version, roles, address, started_at, seen_at)
    VALUES (:name, :version, :roles, :address, :startedAtMs, :nowMs)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, roles = excluded.roles, address = excluded.address,
      started_at = excluded.started_at, seen_at = excluded.seen_at`,
  listNodes: `
    SELECT name, version, roles, address, started_at AS "startedAtMs", seen_at AS "seenAtMs" FROM nodes ORDER BY name`,
  /** Who waits for it comes before who was sent it. */
  nodeOfStudy: `
    SELECT name, version, roles, address, started_at AS "startedAtMs", seen_at AS "seenAtMs" FROM nodes
     WHERE name = coalesce(
       (SELECT node FROM permits WHERE resource = :resource AND until > :nowMs LIMIT 1),
       (SELECT node FROM intake_studies WHERE study_instance_uid = :studyInstanceUid AND state <> 'discarded'))`,
  intakeNodeOf: `
    SELECT node FROM intake_studies WHERE study_instance_uid = :studyInstanceUid AND state <> 'discarded'`,
  placeIntakeStudy: `
    UPDATE intake_studies SET node = :node
     WHERE study_instance_uid = :studyInstanceUid AND state <> 'discarded' AND node IS NULL`,
  leaveNodes: "DELETE FROM nodes WHERE name = :node",
  forgetNodes: "DELETE FROM nodes WHERE seen_at < :seenBeforeMs",
  forgetLapsedPermits: "DELETE FROM permits WHERE resource = :resource AND until <= :nowMs",
  countOtherPermits: "SELECT count(*) AS permits FROM permits WHERE resource = :resource AND holder <> :holder",
  takePermit: `
    INSERT INTO permits (resource, holder, node, until) VALUES (:resource, :holder, :node, :until)
    ON CONFLICT (resource, holder) DO UPDATE SET node = excluded.node, until = excluded.until`,
  renewPermits: "UPDATE permits SET until = :until WHERE node = :node",
  returnPermit: "DELETE FROM permits WHERE resource = :resource AND holder = :holder",
  returnPermitsOf: "DELETE FROM permits WHERE node = :node",
} as const;
