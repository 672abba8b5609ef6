import type { ListSettings } from './listing/list';
import type { ContextSettings } from './middleware/requestContext';

/** The part of the configuration that the API's edge follows. */
export interface EdgeSettings extends ContextSettings {
  /** `max_request_body_size`. */
  readonly maxBodyBytes: number;
  readonly allowedOrigins: readonly string[];
  /** `www_authenticate_uri`. */
  readonly authUri: string;
  readonly healthcheckEnabled: boolean;
  /** Seconds a result of the health check is remembered. */
  readonly healthcheckInterval: number;
  readonly lists: ListSettings;
  /** `enabled_provider_drivers`: names and descriptions. */
  readonly providers: Readonly<Record<string, string>>;
}
