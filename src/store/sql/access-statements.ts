const TOKEN = `
  id, kind, name, role, projects, created_at AS createdAtMs, expires_at AS expiresAtMs, revoked_at AS revokedAtMs`;

/** Statements of tokens and of requests that may be sent twice. */
export const accessStatements = {
  insertToken: `
    INSERT INTO api_tokens (id, kind, name, role, projects, hash, parent, created_at, expires_at)
    VALUES (:id, :kind, :name, :role, :projects, :hash, :parent, :nowMs, :expiresAtMs)`,
  tokenOfName: `
    SELECT id FROM api_tokens INDEXED BY api_tokens_by_name
     WHERE kind = 'token' AND name = :name AND revoked_at IS NULL AND expires_at > :nowMs LIMIT 1`,
  tokenOfHash: `SELECT ${TOKEN} FROM api_tokens WHERE hash = :hash`,
  listTokens: `SELECT ${TOKEN} FROM api_tokens WHERE kind = 'token' ORDER BY name, token_no`,
  revokeToken: "UPDATE api_tokens SET revoked_at = :nowMs WHERE id = :id AND revoked_at IS NULL",
  revokeSessions: "UPDATE api_tokens SET revoked_at = :nowMs WHERE parent = :id AND revoked_at IS NULL",
  forgetSessions: "DELETE FROM api_tokens WHERE kind = 'session' AND expires_at <= :nowMs",

  beginRequest: `
    INSERT INTO api_requests (asker, key, digest, begun_at) VALUES (:asker, :key, :digest, :nowMs)
    RETURNING request_no AS requestNo`,
  requestOfKey: "SELECT digest, status, body FROM api_requests WHERE asker = :asker AND key = :key",
  answerRequest: "UPDATE api_requests SET status = :status, body = :body WHERE asker = :asker AND key = :key",
  forgetRequest: "DELETE FROM api_requests WHERE asker = :asker AND key = :key",
  forgetOldRequests: "DELETE FROM api_requests WHERE begun_at <= :beforeMs",
  forgetManyRequests: "DELETE FROM api_requests WHERE request_no <= :upTo",
} as const;
