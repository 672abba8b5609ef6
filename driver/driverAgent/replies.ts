import type { ZodError } from 'zod';

/** Replies of status.sock and stats.sock, in octavia-lib's words. */

export const STATUS_OK = 200;
export const STATUS_FAILED = 500;

export interface Failure {
  readonly status_code: typeof STATUS_FAILED;
  readonly fault_string: string;
  readonly status_object?: string;
  readonly status_object_id?: unknown;
  readonly stats_object?: string;
}

export type Reply = Failure | { readonly status_code: typeof STATUS_OK };

export const OK: Reply = { status_code: STATUS_OK };

/** The first thing that is wrong with a request. */
export function failureText({ issues }: ZodError): string {
  const [issue] = issues;
  return `${issue?.path.join('.') || 'request'}: ${issue?.message}`;
}
