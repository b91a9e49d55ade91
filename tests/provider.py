"""A real OpenID Connect provider on loopback, Canaille with everything in memory: python -m tests.provider PORT REDIRECT-URI."""

import sys

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from werkzeug.serving import run_simple

CLIENT, SECRET = "coughlab", "the secret of the client"
PASSWORD = "correct horse battery staple"
#: E-mail addresses by user name. The name of one is what no page may take for markup.
PEOPLE = {"tina": "Tina@Example.org", "vera": "vera@example.org"}
NAMES = {"tina": "Tina Trainer", "vera": "Vera **bold** <b>Visitor</b>"}


def serve(port, redirect_uri):
    """Answer until killed."""
    app = create_app(
        {
            "SECRET_KEY": "a test's",
            "SERVER_NAME": f"localhost:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "WTF_CSRF_ENABLED": True,
            "CANAILLE": {"DATABASE": "memory", "LOGGING": {"version": 1}},
            # No page that asks for consent.
            "CANAILLE_OIDC": {"TRUSTED_DOMAINS": ["localhost"]},
        }
    )
    with app.app_context(), Backend.instance.session():
        for name, email in PEOPLE.items():
            person = models.User(
                user_name=name,
                formatted_name=NAMES[name],
                family_name=NAMES[name],
                emails=[email],
                password=PASSWORD,
            )
            Backend.instance.save(person)
        client = models.Client(
            client_id=CLIENT,
            client_secret=SECRET,
            client_name="CoughLab",
            client_uri="http://localhost",
            redirect_uris=[redirect_uri],
            post_logout_redirect_uris=[redirect_uri],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "email", "profile"],
            token_endpoint_auth_method="client_secret_basic",
        )
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
    run_simple("localhost", port, app, threaded=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
