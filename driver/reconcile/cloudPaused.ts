import { UnavailableError } from '../domain/errors';

/** Calls to a cloud are held back because it has not answered for a while: runs wait, and no deadline is used up. */
export class CloudPausedError extends UnavailableError {
  constructor(readonly cloud: string) {
    super(`the ${cloud} service does not answer; it is asked again soon`);
  }
}
