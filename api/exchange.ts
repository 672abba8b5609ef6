import type { Response } from 'express';
import type { Logger } from 'pino';
import type { Identity } from '../driver/domain/identity';
import type { MatchedRoute } from './openapi/routeTable';

/** What the middleware finds out about one request; kept in `res.locals`. */
export interface Exchange {
  /** `req-<uuid>`, always newly made. */
  readonly requestId: string;
  /** The canonical path: `/v2/lbaas/...` less prefix, suffix and trailing slash. */
  readonly path: string;
  /** Scheme, host and path as the client wrote them, without query: what links are built on. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly log: Logger;
  route?: MatchedRoute;
  identity?: Identity;
  body?: unknown;
}

/** The exchange of a response; the first middleware has put it there. */
export function exchangeOf(res: Response): Exchange {
  return res.locals['exchange'] as Exchange;
}

/** What a handler is given. */
export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly url: string;
  /** Checked and coerced: the type of the operation's request in schema.gen.ts. Undefined where none is expected. */
  readonly body: unknown;
  readonly identity: Identity;
  /** The caller's token as it was sent; empty if none was (noauth). Never to be logged. */
  readonly token: string;
  readonly requestId: string;
  readonly log: Logger;
  /** Which of these media types the client likes best; the first for one that does not say. */
  prefers(types: readonly string[]): string;
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
}

/** What a handler answers. Without a body the answer is empty. */
export interface Reply {
  readonly status: number;
  readonly body?: object | string;
  /** Instead of a body in JSON: a file. */
  readonly file?: { readonly type: string; readonly content: Buffer };
}

/** One operation of the OpenAPI document. */
export interface Handler {
  /** Runs before the body is looked at: finds what the path names. */
  readonly before?: (request: Pick<ApiRequest, 'params' | 'log'>) => Promise<void>;
  /** Query arguments a POST, PUT or DELETE knows; any other is refused. GETs look at their query themselves. */
  readonly queryArguments?: readonly string[];
  readonly handle: (request: ApiRequest) => Promise<Reply>;
}
