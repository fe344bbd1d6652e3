"""AWS Identity and Access Management: users, roles, policies, and who may do what."""
