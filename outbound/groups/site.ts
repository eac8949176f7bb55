/**
 * The site that a host belongs to: `www.example.co.uk` and `example.co.uk` are
 * one, `a.github.io` and `b.github.io` are two. The public suffix list decides
 * (https://publicsuffix.org), its private section included: the domains under
 * which companies such as github.io give names to their customers.
 *
 * @module
 */

/** Names the site of a host name, in small letters. */
export type SiteOf = (host: string) => string;

/**
 * Loads the list, which takes some time and memory, so only those who need it
 * do.
 *
 * @returns Names sites. A name without a registrable part is its own site.
 */
export async function loadSites(): Promise<SiteOf> {
  const { getDomain } = await import("tldts");
  const options = {
    allowPrivateDomains: true,
    detectIp: false,
    extractHostname: false,
    validateHostname: false,
  };
  return (host: string): string => {
    // A dot at the end is the root, which is always there.
    const name = host.toLowerCase().replace(/\.$/, "");
    return getDomain(name, options) ?? name;
  };
}
