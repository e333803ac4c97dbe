"""What people see: one redactor every text passes, and Markdown made from the record."""
