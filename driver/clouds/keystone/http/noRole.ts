import { PassedThroughError } from '../../../domain/errors';

/**
 * This service is not let into a project that it has something to do in. Keystone does not say why: the project may be gone
 * or disabled, but most of all its user has no role there.
 */
export class NoRoleError extends PassedThroughError {
  constructor(projectId: string, reason: string) {
    super(
      403,
      `Keystone does not let this service into project ${projectId}: its user needs a role there, such as admin inherited from the project's domain (${reason}).`,
    );
  }
}
