/** Signing in with Entra: App Service does it, and comes back to where the tab was. */
const LAST = 'teal.signedIn';
const AGAIN_AFTER = 60_000;

/** Go and sign in; where that was tried a moment ago, why it does not help. */
export function signIn(): string {
  const last = Number(sessionStorage.getItem(LAST) ?? 0);
  if (Date.now() - last < AGAIN_AFTER)
    return 'You are signed in, and the app does not take it: ask its administrator for a role, or try again in a minute';
  sessionStorage.setItem(LAST, String(Date.now()));
  const back = location.pathname + location.search + location.hash;
  location.assign(`/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(back)}`);
  return '';
}
