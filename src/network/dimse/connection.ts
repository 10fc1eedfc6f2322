import type { AssociationOptions } from "./service-types.ts";

/** The options that every association with a peer has, whatever it is for. */
export type Connection = Pick<AssociationOptions, "tls" | "userIdentity" | "maximumPduLength" | "onViolation">;

/** Asked before each association: certificates and passwords are renewed while the gateway runs. @throws GatewayError when they cannot be read */
export type ConnectionSource = () => Promise<Connection>;
