/** Projects whose login is kept: the least recently used one goes. */
const KEPT = 500;

/** Opens one session a project and keeps those of the projects used last. */
export function keepProjectSessions<Session>(open: (projectId: string) => Session): (projectId: string) => Session {
  const kept = new Map<string, Session>();
  return (projectId) => {
    const session = kept.get(projectId) ?? open(projectId);
    kept.delete(projectId);
    kept.set(projectId, session);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
    return session;
  };
}

/** The login for another project. An application credential holds for its own project whatever is asked for. */
export function scopeTo(login: object, projectId: string): object {
  const { auth } = login as { readonly auth: object };
  return { auth: { ...auth, scope: { project: { id: projectId } } } };
}
