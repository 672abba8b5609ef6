import { PassedThroughError } from '../../../domain/errors';

/** What Nova refuses. `type` is the key of its answer: "forbidden", "badRequest", "conflictingRequest", ... */
export class NovaError extends PassedThroughError {
  constructor(
    status: number,
    readonly type: string,
    message: string,
  ) {
    super(status, message);
  }

  /** Whether a quota of the project is used up (servers, cores, memory, ports, members of a server group). */
  get isQuota(): boolean {
    return (this.status === 403 || this.status === 413) && /quota/i.test(this.message);
  }
}
