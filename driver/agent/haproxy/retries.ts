import { fixed, type Word } from './words';

/** Methods that may be sent twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT = 'GET HEAD OPTIONS TRACE PUT DELETE';

/**
 * What a backend of HTTP does about a member that closes an idle connection under a request on its way: the request goes
 * to a member again, if its method allows that.
 *
 * `http-reuse safe`: the first request of a client's connection gets a connection of its own. `always` would save that,
 * a third of the work for clients with a connection for each request; but then a POST that meets a stale connection
 * could neither be sent again nor left to the client, who may have no other connection to blame: it would be lost (seen
 * with 2.6: 502).
 */
export function retryLines(): Word[][] {
  return [
    [fixed('http-reuse safe')],
    [fixed('retry-on conn-failure empty-response')],
    [fixed(`http-request disable-l7-retry unless { method ${IDEMPOTENT} }`)],
  ];
}
