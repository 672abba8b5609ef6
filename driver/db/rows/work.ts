import type { Bit, Json, Time } from './columns';

/** Rows of events, the outbox, periodic jobs and the embedded clouds. */

/** What an operator would ask about. */
export interface EventRow {
  id: string;
  at: Time;
  /** Upper case, e.g. ENGINE_DOWN, OBJECT_REFUSED. */
  name: string;
  severity: 'info' | 'warning' | 'error';
  project_id: string | null;
  load_balancer_id: string | null;
  service_engine_id: string | null;
  /** The object of the tree it is about. */
  resource_type: string | null;
  resource_id: string | null;
  message: string;
  request_id: string | null;
  user_id: string | null;
  /** When those who listen were told of it, by the database's clock. */
  notified_at: Time | null;
}

/** What rows cannot tell again: casts and notifications, until the broker has them. */
export interface OutboxRow {
  id: string;
  topic: string;
  method: string;
  args: Json;
  load_balancer_id: string | null;
  created_at: Time;
}

/** One holder of a periodic job, wherever it runs. */
export interface JobLeaseRow {
  name: string;
  lease_owner: string | null;
  lease_epoch: number;
  lease_until: Time | null;
}

/** The embedded Keystone's and Neutron's objects, so that a restart finds them again. */
export interface EmbeddedResourceRow {
  kind: string;
  id: string;
  body: Json;
}

export const IMPORT_STATES = ['locking', 'copied', 'switched', 'confirming', 'confirmed', 'undoing'] as const;

/** How far a load balancer is on its way from Octavia: see driver/octaviaImport. */
export interface OctaviaImportRow {
  load_balancer_id: string;
  state: (typeof IMPORT_STATES)[number];
  octavia_status: string;
  octavia_updated_at: string | null;
  mark: string;
  /** JSON: by port of an amphora, the address pairs it had. */
  address_pairs: Json | null;
  created_at: Time;
  updated_at: Time | null;
}

/** A capture of a load balancer's packets on its engines, until it expires. */
export interface CaptureRow {
  id: string;
  load_balancer_id: string;
  project_id: string;
  filter: string;
  /** Seconds. */
  duration: number;
  /** Of each engine at most. */
  packets: number;
  /** Bytes of each engine's file at most. */
  size: number;
  /** Somebody wants it ended. */
  stopping: Bit;
  user_id: string | null;
  request_id: string | null;
  created_at: Time;
  /** Whoever has not told by then will not. */
  ends_at: Time;
  /** When it leaves the database. */
  expires_at: Time;
}

/** What one engine has of a capture. */
export interface CapturePartRow {
  capture_id: string;
  engine_id: string;
  engine_name: string;
  /** asked | running | done */
  state: string;
  packets: number;
  bytes: number;
  problem: string | null;
}

/** A piece of an engine's file, base64. */
export interface CaptureChunkRow {
  capture_id: string;
  engine_id: string;
  sequence: number;
  data: string;
}

/** Something that operators have been told of, until it is over. */
export interface TroubleRow {
  /** What makes it the same trouble. */
  cause: string;
  /** JSON of `About` of driver/db/troubles.ts. */
  about: Json;
  opened_at: Time;
}

/** A floating IP as the audit last saw it lead to a VIP. */
export interface SeenFloatingIpRow {
  id: string;
  load_balancer_id: string;
  /** What it led to. */
  ip_address: string | null;
  /** JSON list. */
  port_ids: Json;
}

/** What an engine is asked of how it serves a load balancer. */
export interface InspectionRow {
  id: string;
  load_balancer_id: string;
  service_engine_id: string;
  /** asked | told | done */
  state: string;
  /** JSON of `Inspection` of driver/protocol; null until it has come. */
  answer: string | null;
  /** Whoever has not answered by then need not. */
  expires_at: Time;
}
