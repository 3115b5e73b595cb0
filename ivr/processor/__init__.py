"""The card processor: what we ask of one, and Stripe as one. Card numbers never come here."""
