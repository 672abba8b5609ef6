/** Names and values of HTTP as Octavia lets them through; what passes is safe to write into a configuration. */

/** Header and cookie names: visible ASCII less `"()/:;<=>?@[\]{}`. */
export const HEADER_NAME = /^[!#$%&'*+,\-.0-9A-Z^_`a-z|~]+$/;
/** The same less the comma, which parts cookies for some clients. */
export const COOKIE_NAME = /^[!#$%&'*+\-.0-9A-Z^_`a-z|~]+$/;
/** Visible ASCII less `"`, `;` and the backslash. */
export const COOKIE_VALUE = /^[!#-:<-[\]-~]+$/;
/** Visible ASCII, or in double quotes also blanks and tabs. */
export const HEADER_VALUE = /^([!-~]+|"[\t !#-~]*")$/;
