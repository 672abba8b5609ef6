/** Who a request comes from, as policy sees it. */
export interface Identity {
  readonly userId: string;
  /** Null for a token without project scope. */
  readonly projectId: string | null;
  readonly domainId: string | null;
  /** "all" for a system-scoped token. */
  readonly systemScope: string | null;
  /** Lower case. */
  readonly roles: readonly string[];
  /** True when the caller may do everything: noauth without `X-Roles`. */
  readonly isAdmin: boolean;
}
